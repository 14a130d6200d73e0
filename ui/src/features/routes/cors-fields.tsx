import { Checkbox, NumberInput, Stack, Switch, TagsInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ErrorsByField } from './errors-by-field.ts';
import { newCors, type RouteValues } from './route-values.ts';

/** Which pages of other origins may use the route. */
export function CorsFields({ form, errors }: { readonly form: UseFormReturnType<RouteValues>; readonly errors: ErrorsByField }) {
  const { cors } = form.getValues();
  const error = (field: string): string | undefined => errors.within(`cors.${field}`)[0]?.message;
  return (
    <Stack>
      <Switch
        label="Pages of other origins may use it (CORS)"
        description="The gateway answers preflights, and adds the headers that browsers ask for."
        checked={cors !== null}
        onChange={(event) => form.setFieldValue('cors', event.currentTarget.checked ? newCors : null)}
        error={errors.at('cors')}
      />
      {cors !== null && (
        <Stack pl="md" style={{ borderLeft: '2px solid var(--line)' }}>
          <TagsInput
            label="Origins"
            required
            description="As browsers send them, https://app.example.com, or * alone."
            {...form.getInputProps('cors.allow_origins')}
            error={error('allow_origins')}
          />
          <TagsInput
            label="Methods"
            aria-label="Methods for other origins"
            description="None: the route's own."
            data={['GET', 'POST', 'PUT', 'PATCH', 'DELETE']}
            {...form.getInputProps('cors.allow_methods')}
            error={error('allow_methods')}
          />
          <TagsInput
            label="Request headers"
            description="That pages may set; * means all."
            {...form.getInputProps('cors.allow_headers')}
            error={error('allow_headers')}
          />
          <TagsInput
            label="Response headers"
            description="That pages may read besides the usual ones."
            {...form.getInputProps('cors.expose_headers')}
            error={error('expose_headers')}
          />
          <Checkbox
            label="Cookies may go along"
            {...form.getInputProps('cors.allow_credentials', { type: 'checkbox' })}
            error={error('allow_credentials')}
          />
          <NumberInput
            label="Preflights are remembered for"
            description="Seconds; 86,400 at most."
            suffix=" s"
            min={0}
            max={86_400}
            allowDecimal={false}
            {...form.getInputProps('cors.max_age')}
            error={error('max_age')}
          />
        </Stack>
      )}
    </Stack>
  );
}
