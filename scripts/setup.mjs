// Gets a checkout ready to run: `npm start`, `npm test` and the other scripts call it first. Over 300 lines: it runs before
// anything is installed, and all that it needs stands here.
//
// It installs the dependencies when package-lock.json changed, and brings a newer Node.js from the npm registry where
// the machine's is too old: npm scripts find node_modules/.bin first, so a link there is all it takes. It runs on the
// machine's own Node.js and before anything is installed: plain JavaScript of Node 18, no dependencies.
// What is installed is remembered in a stamp inside the folder it describes, written last: an interrupted set-up has
// no stamp and is done again. The admin UI is built in the same way when its sources changed; the gateway serves it from
// ui/dist.
//
// Given a folder that has a lockfile of its own (`setup.mjs test/peers`), it installs that one and nothing else.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupLock } from './setup-lock.mjs';

const root = fs.realpathSync(resolve(dirname(fileURLToPath(import.meta.url)), '..'));
const nodeFolder = join(root, 'tools', 'node');
const nodeLink = join(root, 'node_modules', '.bin', 'node');
const uiFolder = join(root, 'ui');
const uiBuild = join(uiFolder, 'dist');
const stampName = '.apigate-setup';
const oldestNodeForSetup = '18.0.0';
const registryRemedy =
  'The npm registry is out of reach. Check the network; "npm ping" tells whether npm reaches it, "npm config get registry" where it looks.\n' +
  'Behind a proxy set HTTPS_PROXY; with a mirror of your own: npm config set registry URL.';
const tryAgain = 'Nothing needs to be cleaned up: run the same command again.';
const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

class SetupError extends Error {}

/** The npm processes under way, and the build of the UI. */
const running = new Set();
const lock = new SetupLock(join(root, '.apigate-setup.lock'), () => [...running].map((child) => child.pid));

let stopping = false;

main().catch(async (error) => {
  if (stopping) return;
  await stopInstalls();
  lock.release();
  say(error instanceof SetupError ? error.message : `unexpected failure: ${error.stack}`);
  process.exitCode = 1;
});

async function main() {
  if (isOlder(process.versions.node, oldestNodeForSetup)) {
    throw new SetupError(
      `this needs Node.js ${oldestNodeForSetup} or newer to start from, and this is ${process.version}.\n${howToInstallNode()}`,
    );
  }
  const folder = askedFolder();
  if (folder === undefined ? nothingToDo(plan()) : isInstalled(folder)) return;
  for (const signal of Object.keys(signalNumbers)) process.once(signal, () => void interrupted(signal));
  await takeLock();
  // Whoever held the lock may have done it all.
  if (folder === undefined) await carryOut(plan());
  else if (!isInstalled(folder)) await installFolder(folder);
  lock.release();
}

function askedFolder() {
  const given = process.argv[2];
  if (given === undefined) return undefined;
  const folder = resolve(root, given);
  if (!fs.existsSync(join(folder, 'package-lock.json'))) throw new SetupError(`"${given}" has no package-lock.json to install from.`);
  return folder;
}

/** What is missing, found without writing anything: a set-up checkout also starts from a read-only disk. */
function plan() {
  const required = requiredNode();
  const broughtBinary = join(nodeFolder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  // After the first set-up npm runs this script on the Node.js that it brought, and the machine's own is not seen.
  const runsOnBrought = fs.realpathSync(process.execPath).startsWith(nodeFolder + sep);
  const bringNode = runsOnBrought || !isGoodNode(required);
  return {
    required,
    broughtBinary,
    runsOnBrought,
    bringNode,
    installDependencies: !isInstalled(root),
    installNode: bringNode && (!isInstalled(nodeFolder) || !fs.existsSync(broughtBinary)),
    linkNode: bringNode && realPathOf(nodeLink) !== realPathOf(broughtBinary),
    buildUi: fs.existsSync(join(uiFolder, 'package.json')) && !isUiBuilt(),
  };
}

function nothingToDo(todo) {
  return !todo.installDependencies && !todo.installNode && !todo.linkNode && !todo.buildUi;
}

async function carryOut(todo) {
  if (todo.installNode && !canBringNode()) {
    throw new SetupError(`APIGate needs Node.js ${todo.required} or newer; this is ${process.version}.\n${howToInstallNode()}`);
  }
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  const jobs = new Map();
  if (todo.installDependencies) jobs.set('the dependencies', install(root));
  const tooOld = todo.runsOnBrought ? '' : ` (this machine has ${process.version})`;
  if (todo.installNode) jobs.set(`Node.js ${broughtVersion()}${tooOld}`, installNode(todo));
  if (jobs.size > 0) {
    say(`installing ${[...jobs.keys()].join(' and ')}; the first time takes about a minute.`);
    const progress = setInterval(() => say(`  ${seconds()}: still installing ${[...jobs.keys()].join(' and ')}`), 10_000);
    try {
      await Promise.all([...jobs].map(([what, job]) => job.then(() => void (jobs.delete(what), say(`  ${seconds()}: installed ${what}`)))));
    } finally {
      clearInterval(progress);
    }
  }
  // `npm ci` has just removed it with the rest of node_modules, or it points to what was there before.
  if (todo.bringNode) linkBroughtNode(todo.broughtBinary);
  if (todo.installDependencies) writeStamp(root);
  if (todo.buildUi) await buildUi(todo);
}

/** With Vite, into ui/dist; about two seconds. */
async function buildUi(todo) {
  const stamp = uiStamp();
  fs.rmSync(join(uiBuild, stampName), { force: true });
  const node = todo.bringNode ? todo.broughtBinary : process.execPath;
  const { how, output } = await ended(
    start(node, [join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', '--logLevel', 'warn'], uiFolder),
  );
  if (how !== undefined) {
    throw new SetupError(
      `the admin UI could not be built (${how}); set-up is done again when that is mended:\n${indented(output.split('\n'))}`,
    );
  }
  fs.writeFileSync(join(uiBuild, stampName), stamp);
  say('built the admin UI');
}

async function installFolder(folder) {
  say(`installing what ${relative(root, folder)} needs; that takes about half a minute.`);
  await install(folder);
  writeStamp(folder);
}

async function installNode(todo) {
  await install(nodeFolder);
  if (!fs.existsSync(todo.broughtBinary)) {
    // Its packages are optional, one per platform, and what is optional npm leaves out without a word when it cannot get it.
    throw new SetupError(
      `npm could not get Node.js ${broughtVersion()} (node-${process.platform}-${process.arch}) from the registry.\n${registryRemedy}\n${tryAgain}`,
    );
  }
  checkBroughtNode(todo);
  writeStamp(nodeFolder);
}

/** `npm ci` in a folder: exactly what its lockfile says, no scripts run. */
async function install(folder) {
  const [command, ...first] = npmCommand();
  const child = start(
    command,
    [
      ...first,
      'ci',
      '--ignore-scripts',
      '--include=dev',
      '--include=optional',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      '--no-progress',
      '--loglevel=error',
      '--fetch-retries=3',
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-maxtimeout=8000',
      '--fetch-timeout=60000',
    ],
    folder,
  );
  let end;
  try {
    end = await ended(child);
  } catch (error) {
    throw error.code === 'ENOENT'
      ? new SetupError(
          `npm is not installed, or not on the PATH. It comes with Node.js; on Debian and Ubuntu also as "apt-get install npm".`,
        )
      : error;
  }
  if (end.how !== undefined) throw new SetupError(explainNpmFailure(folder, end.output, end.how));
}

function start(command, args, cwd) {
  const child = spawn(command, args, { cwd, env: npmEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  lock.renew();
  return child;
}

/** The end of what it wrote, and how it ended; `how` is undefined when all went well. */
function ended(child) {
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-20_000);
    });
  return new Promise((fulfil, reject) => {
    child.once('error', (error) => {
      running.delete(child);
      reject(error);
    });
    child.once('close', (code, signal) => {
      running.delete(child);
      fulfil({ output, how: code === 0 ? undefined : (signal ?? `exit code ${code}`) });
    });
  });
}

/** The npm that runs us, else the one on the PATH. */
function npmCommand() {
  const own = process.env.npm_execpath;
  return own !== undefined && /npm-cli\.[cm]?js$/.test(own) && fs.existsSync(own) ? [process.execPath, own] : ['npm'];
}

/** npm hands its own flags on to scripts through the environment: those about where and what must not reach this install. */
function npmEnvironment() {
  const env = { ...process.env };
  for (const name of [
    'prefix',
    'local_prefix',
    'global',
    'location',
    'workspace',
    'workspaces',
    'omit',
    'production',
    'only',
    'dry_run',
    'package_lock',
    'package_lock_only',
  ]) {
    delete env[`npm_config_${name}`];
    delete env[`NPM_CONFIG_${name.toUpperCase()}`];
  }
  return env;
}

function explainNpmFailure(folder, output, how) {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^npm (error|ERR!) ?/, '').trimEnd())
    .filter((line) => line !== '' && !/^(A complete log|\s+at )/.test(line));
  return `"npm ci" failed in ${folder} (${how}):\n${indented(lines)}\n${npmRemedy(output)}\n${tryAgain}`;
}

function indented(lines) {
  return lines
    .slice(-15)
    .map((line) => `    ${line}`)
    .join('\n');
}

function npmRemedy(output) {
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|ENETUNREACH|EHOSTUNREACH|FETCH_ERROR|network/i.test(output)
  ) {
    return registryRemedy;
  }
  if (/SELF_SIGNED|UNABLE_TO_GET_ISSUER|UNABLE_TO_VERIFY|CERT_/.test(output)) {
    return "The registry's certificate is not trusted here. Behind an inspecting proxy: npm config set cafile /path/to/its-ca.pem.";
  }
  if (/EACCES|EPERM|EROFS/.test(output))
    return 'A file could not be written. Does all of the checkout, and npm\'s cache ("npm config get cache"), belong to you?';
  if (/ENOSPC/.test(output)) return 'The disk is full.';
  if (/E404|ETARGET|EINTEGRITY/.test(output))
    return 'The registry lacks a pinned package or has another one of that name: "npm config get registry" tells which registry this is.';
  return 'The lines above are what npm said.';
}

function checkBroughtNode(todo) {
  const run = spawnSync(todo.broughtBinary, ['--version'], { encoding: 'utf8' });
  const version = (run.stdout ?? '').trim().replace(/^v/, '');
  if (run.status !== 0 || isOlder(version, todo.required)) {
    const reason = run.error?.message ?? ((run.stderr ?? '').trim() || `it calls itself "${version}"`);
    throw new SetupError(
      `the Node.js that was brought does not run here (${reason}); it needs a Linux with glibc 2.28 or newer.\n${howToInstallNode()}`,
    );
  }
}

function linkBroughtNode(binary) {
  const temporary = `${nodeLink}.${process.pid}`;
  fs.mkdirSync(dirname(nodeLink), { recursive: true });
  fs.rmSync(temporary, { force: true });
  fs.symlinkSync(relative(dirname(nodeLink), binary), temporary);
  fs.renameSync(temporary, nodeLink);
}

function canBringNode() {
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
}

/** New enough, and built with all that APIGate runs on: some distributions leave type stripping out. */
function isGoodNode(required) {
  return !isOlder(process.versions.node, required) && Boolean(process.features.typescript) && isBuiltin('node:sqlite');
}

function howToInstallNode() {
  const version = requiredNode();
  return process.platform === 'darwin'
    ? `Install it with "brew install node@24" (or "nvm install 24", or from https://nodejs.org): ${version} or newer. Then run the same command again.`
    : `Install Node.js ${version} or newer, for example with "nvm install 24" or from https://nodejs.org, and run the same command again.`;
}

function requiredNode() {
  return readJson(join(root, 'package.json')).engines.node.replace(/^>=\s*/, '');
}

function broughtVersion() {
  return readJson(join(nodeFolder, 'package.json')).optionalDependencies[`node-${process.platform}-${process.arch}`];
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function isOlder(version, than) {
  const a = version.split('.').map(Number);
  const b = than.split('.').map(Number);
  for (let i = 0; i < 3; i++) if (a[i] !== b[i]) return !(a[i] > b[i]);
  return false;
}

/** The lockfile's hash, and the platform, whose binaries the install chose. */
function stampOf(folder) {
  return `${createHash('sha256')
    .update(fs.readFileSync(join(folder, 'package-lock.json')))
    .digest('hex')} ${process.platform}-${process.arch}\n`;
}

function isInstalled(folder) {
  return readStamp(join(folder, 'node_modules')) === stampOf(folder);
}

/** The sources of the UI, and the lockfile that says which packages go into it. */
function uiStamp() {
  const hash = createHash('sha256').update(fs.readFileSync(join(root, 'package-lock.json')));
  for (const file of filesBelow(uiFolder)) hash.update(`\0${relative(uiFolder, file)}\0`).update(fs.readFileSync(file));
  return `${hash.digest('hex')}\n`;
}

function filesBelow(folder) {
  return fs
    .readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? filesBelow(join(folder, entry.name)) : [join(folder, entry.name)]));
}

function isUiBuilt() {
  const stamp = readStamp(uiBuild);
  return stamp !== '' && stamp === uiStamp();
}

function readStamp(folder) {
  try {
    return fs.readFileSync(join(folder, stampName), 'utf8');
  } catch {
    return '';
  }
}

function writeStamp(folder) {
  fs.mkdirSync(join(folder, 'node_modules'), { recursive: true });
  fs.writeFileSync(join(folder, 'node_modules', stampName), stampOf(folder));
}

function realPathOf(path) {
  try {
    return fs.realpathSync(path);
  } catch {
    return undefined;
  }
}

async function takeLock() {
  try {
    await lock.take(() => say('another set-up of this checkout is running; waiting for it.'));
  } catch (error) {
    if (error.code === 'EACCES' || error.code === 'EROFS' || error.code === 'EPERM') {
      throw new SetupError(
        `cannot write to ${root} (${error.code}). Make the checkout yours (chown), or clone it to a folder of your own.`,
      );
    }
    if (error.code === 'ENOSPC') throw new SetupError(`the disk of ${root} is full.`);
    throw error;
  }
}

async function interrupted(signal) {
  stopping = true;
  await stopInstalls();
  lock.release();
  say(`stopped by ${signal}; run the same command again to go on.`);
  process.exit(128 + signalNumbers[signal]);
}

/** Resolves when no npm of ours writes any more. */
async function stopInstalls() {
  await Promise.all(
    [...running].map(
      (child) =>
        new Promise((stopped) => {
          child.once('close', stopped);
          child.kill('SIGTERM');
          setTimeout(() => child.kill('SIGKILL'), 3_000).unref();
        }),
    ),
  );
}

function say(text) {
  process.stderr.write(`apigate set-up: ${text}\n`);
}
