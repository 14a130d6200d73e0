import { Fieldset, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Textarea, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import { upstreamDefaults } from '../../../../src/model/upstream.ts';
import { durationText } from '../../components/figures.ts';
import { SecretInput } from '../../components/secret-input.tsx';
import classes from './upstream-fields.module.css';
import type { UpstreamValues } from './upstream-values.ts';

export interface UpstreamFieldsProps {
  readonly form: UseFormReturnType<UpstreamValues>;
  /** Whether a credential is stored, which an empty field keeps. */
  readonly credentialStored: boolean;
  readonly isNew: boolean;
}

const authTypes = [
  { value: 'none', label: 'None: nothing is added' },
  { value: 'bearer', label: 'Bearer token: Authorization: Bearer …' },
  { value: 'header', label: 'Custom header' },
  { value: 'basic', label: 'Basic auth: user name and password' },
];

const valueWords = {
  none: { label: '', placeholder: '' },
  bearer: { label: 'Token', placeholder: '' },
  header: { label: 'Value', placeholder: '' },
  basic: { label: 'User name and password', placeholder: 'username:password' },
} as const;

/** Every property of an upstream, in groups. */
export function UpstreamFields({ form, credentialStored, isNew }: UpstreamFieldsProps) {
  const values = form.getValues();
  const field = (name: keyof UpstreamValues & string) => ({ key: form.key(name), ...form.getInputProps(name) });
  return (
    <Stack gap="lg">
      <Fieldset legend="Service" className={classes['group'] ?? ''}>
        <Stack>
          <TextInput
            label="Name"
            description="What the service is called, such as payments-service."
            required
            autoComplete="off"
            data-autofocus={isNew || undefined}
            {...field('name')}
          />
          <TextInput
            label="Base URL"
            description="Where it is. A path is kept as a prefix: https://api.example.com/v1"
            placeholder="https://api.example.com"
            required
            type="url"
            inputMode="url"
            autoComplete="off"
            spellCheck={false}
            {...field('base_url')}
          />
          <Textarea label="Description" description="For people to read." autosize minRows={1} maxRows={6} {...field('description')} />
          <Switch
            label="Enabled"
            description="Requests to a disabled upstream answer 503 upstream_disabled."
            key={form.key('enabled')}
            {...form.getInputProps('enabled', { type: 'checkbox' })}
          />
        </Stack>
      </Fieldset>

      <Fieldset legend="Credential" className={classes['group'] ?? ''}>
        <Stack>
          <Select
            label="Authentication"
            description="What the gateway adds to each request. The client's own header of that name never gets there."
            data={authTypes}
            allowDeselect={false}
            {...field('auth_type')}
          />
          {values.auth_type === 'header' && (
            <TextInput
              label="Header name"
              placeholder="X-API-Key"
              required
              autoComplete="off"
              spellCheck={false}
              {...field('auth_header')}
            />
          )}
          {values.auth_type !== 'none' && (
            <SecretInput
              label={valueWords[values.auth_type].label}
              description={
                credentialStored
                  ? 'One is stored and never shown. Empty keeps it; what you type replaces it.'
                  : 'Written, never shown again. ${env.NAME} and ${file:/path} are read where the gateway runs.'
              }
              placeholder={credentialStored ? '********' : valueWords[values.auth_type].placeholder}
              required={!credentialStored}
              {...field('auth_value')}
            />
          )}
        </Stack>
      </Fieldset>

      <Fieldset legend="Timeout and connections" className={classes['group'] ?? ''}>
        <Stack>
          <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="md" className={classes['grid'] ?? ''}>
            <NumberField
              label="Timeout"
              unit="ms"
              value={values.timeout_ms}
              standard={upstreamDefaults.timeout_ms}
              note="The longest wait for its next progress."
              {...field('timeout_ms')}
            />
            <NumberField
              label="Idle connection timeout"
              unit="ms"
              value={values.idle_conn_timeout_ms}
              standard={upstreamDefaults.idle_conn_timeout_ms}
              note="An idle connection is closed after it."
              {...field('idle_conn_timeout_ms')}
            />
            <NumberField
              label="Max idle connections"
              value={values.max_idle_conns}
              standard={upstreamDefaults.max_idle_conns}
              note="Kept for reuse, over all workers together."
              {...field('max_idle_conns')}
            />
            <NumberField
              label="Max connections"
              value={values.max_conns}
              standard={upstreamDefaults.max_conns}
              note="At once. 0: no limit. Beyond it requests queue, then get 503."
              {...field('max_conns')}
            />
          </SimpleGrid>
          <Text size="sm" c="dimmed">
            max_idle_conns limits idle sockets only, never how many requests run at once: that is max_conns.
          </Text>
        </Stack>
      </Fieldset>

      <Fieldset legend="TLS and Host" className={classes['group'] ?? ''}>
        <Stack>
          <Textarea
            label="CA certificates"
            description="PEM. This upstream is verified against them instead of the system's. Empty: the system's."
            placeholder="-----BEGIN CERTIFICATE-----"
            autosize
            minRows={2}
            maxRows={10}
            spellCheck={false}
            classNames={{ input: classes['mono'] ?? '' }}
            {...field('tls_ca')}
          />
          <TextInput
            label="TLS server name"
            description="For SNI and in the certificate, where it is not the host of the base URL."
            autoComplete="off"
            spellCheck={false}
            {...field('tls_server_name')}
          />
          <Switch
            label="Keep the client's Host"
            description="Otherwise the base URL's host is sent (the default)."
            key={form.key('preserve_host')}
            {...form.getInputProps('preserve_host', { type: 'checkbox' })}
          />
        </Stack>
      </Fieldset>

      <Fieldset legend="Health check" className={classes['group'] ?? ''}>
        <Stack>
          <TextInput
            label="Path"
            description="Asked for by the gateway itself, with the credential. Empty: no checks, and health is told from traffic alone."
            placeholder="/healthz"
            autoComplete="off"
            spellCheck={false}
            {...field('health_check_path')}
          />
          {values.health_check_path !== '' && (
            <>
              <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="md" verticalSpacing="md" className={classes['grid'] ?? ''}>
                <NumberField
                  label="Interval"
                  unit="ms"
                  value={values.health_check_interval_ms}
                  standard={upstreamDefaults.health_check_interval_ms}
                  note="From one check to the next."
                  {...field('health_check_interval_ms')}
                />
                <NumberField
                  label="Longest wait"
                  unit="ms"
                  value={values.health_check_timeout_ms}
                  standard={upstreamDefaults.health_check_timeout_ms}
                  note="For a connection, and for the answer."
                  {...field('health_check_timeout_ms')}
                />
              </SimpleGrid>
              <TextInput
                label="Good statuses"
                description="Such as 200-399 (the default), or 200-299,401."
                placeholder={upstreamDefaults.health_check_status}
                autoComplete="off"
                spellCheck={false}
                {...field('health_check_status')}
              />
            </>
          )}
          <Text size="sm" c="dimmed">
            Checks inform: they never take an upstream out of service.
          </Text>
        </Stack>
      </Fieldset>
    </Stack>
  );
}

interface NumberFieldProps {
  readonly label: string;
  /** Milliseconds are said in larger units too. */
  readonly unit?: 'ms';
  readonly value: number | string;
  readonly standard: number;
  readonly note: string;
}

function NumberField({ label, unit, value, standard, note, ...rest }: NumberFieldProps) {
  const told = (number: number): string => (unit === undefined ? String(number) : `${durationText(number)} = ${number} ms`);
  const now = value === '' ? `Empty: ${told(standard)}.` : unit === undefined || value === standard ? '' : `${told(Number(value))}.`;
  return (
    <NumberInput
      label={unit === undefined ? label : `${label}, ms`}
      description={`${note} ${now === '' || value !== '' ? `Default: ${told(standard)}.` : ''} ${now}`.replaceAll(/ +/g, ' ').trim()}
      placeholder={String(standard)}
      value={value}
      min={0}
      allowDecimal={false}
      allowNegative={false}
      {...rest}
    />
  );
}
