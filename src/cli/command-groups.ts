import type { CliCommand } from './cli-command.ts';
import type { CommandHost } from './command-call.ts';

/** A word after `apigate`. What belongs to it is loaded only when it is called. */
export interface CommandGroup {
  readonly name: string;
  readonly summary: string;
  readonly load: (host: CommandHost) => Promise<CliCommand>;
}

export const commandGroups: readonly CommandGroup[] = [
  { name: 'serve', summary: 'run the gateway', load: async (host) => (await import('./commands/serve.ts')).serveCommand(host) },
  {
    name: 'upstreams',
    summary: 'backend services that requests are sent to',
    load: async (host) => (await import('./commands/upstreams.ts')).upstreamsCommand(host),
  },
  {
    name: 'routes',
    summary: 'which requests go to which upstream',
    load: async (host) => (await import('./commands/routes.ts')).routesCommand(host),
  },
  { name: 'keys', summary: 'API keys of clients', load: async (host) => (await import('./commands/keys.ts')).keysCommand(host) },
  {
    name: 'explain',
    summary: 'what would become of a request, and why',
    load: async (host) => (await import('./commands/explain.ts')).explainCommand(host),
  },
  {
    name: 'apply',
    summary: 'make the gateway config what files declare',
    load: async (host) => (await import('./commands/apply.ts')).applyCommand(host),
  },
  {
    name: 'export',
    summary: 'print the gateway config as a file that apply takes',
    load: async (host) => (await import('./commands/export.ts')).exportCommand(host),
  },
  {
    name: 'tail',
    summary: 'follow requests as they end',
    load: async (host) => (await import('./commands/tail.ts')).tailCommand(host),
  },
  {
    name: 'requests',
    summary: 'requests that ended lately',
    load: async (host) => (await import('./commands/requests.ts')).requestsCommand(host),
  },
  {
    name: 'history',
    summary: 'who changed what in the gateway config, and when',
    load: async (host) => (await import('./commands/history.ts')).historyCommand(host),
  },
  {
    name: 'diff',
    summary: 'how two revisions of the gateway config differ',
    load: async (host) => (await import('./commands/diff.ts')).diffCommand(host),
  },
  {
    name: 'rollback',
    summary: 'make the gateway config what it was at a revision',
    load: async (host) => (await import('./commands/rollback.ts')).rollbackCommand(host),
  },
  {
    name: 'tokens',
    summary: 'API tokens for automation of the admin API',
    load: async (host) => (await import('./commands/tokens.ts')).tokensCommand(host),
  },
  { name: 'admins', summary: 'people who may sign in', load: async (host) => (await import('./commands/admins.ts')).adminsCommand(host) },
  {
    name: 'sessions',
    summary: 'admins who are signed in',
    load: async (host) => (await import('./commands/sessions.ts')).sessionsCommand(host),
  },
  {
    name: 'audit',
    summary: 'who changed what, and who signed in',
    load: async (host) => (await import('./commands/audit.ts')).auditCommand(host),
  },
  {
    name: 'secrets',
    summary: 'the key that stored secrets are sealed with',
    load: async (host) => (await import('./commands/secrets.ts')).secretsCommand(host),
  },
  {
    name: 'backup',
    summary: 'copy the database while it is in use',
    load: async (host) => (await import('./commands/backup.ts')).backupCommand(host),
  },
  {
    name: 'settings',
    summary: 'what the process was started with',
    load: async (host) => (await import('./commands/settings.ts')).settingsCommand(host),
  },
  {
    name: 'doctor',
    summary: 'look for what is wrong, and tell how to mend it',
    load: async (host) => (await import('./commands/doctor.ts')).doctorCommand(host),
  },
  { name: 'version', summary: 'print the version', load: async (host) => (await import('./commands/version.ts')).versionCommand(host) },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: async (host) => (await import('./commands/completion.ts')).completionCommand(host),
  },
];
