import type { Upstream } from '../../api/admin-schema.ts';

/** How an upstream's credential is sent, without the credential. */
export function credentialWords({ auth_type: type, auth_header: header }: Pick<Upstream, 'auth_type' | 'auth_header'>): string {
  switch (type) {
    case 'none':
      return 'No credential is added';
    case 'bearer':
      return 'Authorization: Bearer ********';
    case 'basic':
      return 'Authorization: Basic ********';
    case 'header':
      return `${header ?? 'header'}: ********`;
  }
}
