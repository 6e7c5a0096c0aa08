/**
 * An OIDC issuer as far as Fulcio asks one: discovery, one public key, and tokens for whoever asks on loopback.
 * https://openid.net/specs/openid-connect-discovery-1_0.html
 */
import { generateKeyPairSync, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { listen } from './listen.ts';

export interface Issuer {
  readonly url: string;
  /** A token that says that its bearer is `email`; `GET /token?email=…` gives the same to other processes. */
  identityToken(email: string): string;
  close(): Promise<void>;
}

const KEY_ID = 'demo';
/** Seconds; a whole test run fits in. */
const LIFETIME = 3600;

export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: KEY_ID, alg: 'RS256', use: 'sig' };
  let url = '';

  function identityToken(email: string): string {
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: url,
      aud: 'sigstore',
      sub: email,
      email,
      email_verified: true,
      iat: now,
      exp: now + LIFETIME,
    };
    const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: KEY_ID })}.${encode(claims)}`;
    return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`;
  }

  function answer(path: string): unknown {
    if (path === '/.well-known/openid-configuration') {
      return {
        issuer: url,
        authorization_endpoint: `${url}/authorize`,
        token_endpoint: `${url}/token`,
        jwks_uri: `${url}/keys`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: ['RS256'],
      };
    }
    return path === '/keys' ? { keys: [jwk] } : undefined;
  }

  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', 'http://issuer');
    const email = asked.searchParams.get('email');
    if (asked.pathname === '/token' && email !== null) {
      response.end(identityToken(email));
      return;
    }
    const body = answer(asked.pathname);
    response.statusCode = body === undefined ? 404 : 200;
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body ?? {}));
  });
  url = `http://127.0.0.1:${await listen(server)}`;
  return {
    url,
    identityToken,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
