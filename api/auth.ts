// Identifies the caller by the owner's token, a named key or the Unix socket, and checks its scope.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { KeyScope } from './control.ts';
import type { Scope } from './endpoint.ts';
import { ApiError } from './errors.ts';
import type { Throttle } from './throttle.ts';

export interface Caller {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  readonly expiresAt: string | null;
}

/** Looks up named keys; implemented by the daemon. */
export interface Keyring {
  /** The caller with this secret if the key is valid now and from this address; records the use. */
  find(secret: string, address: string): Caller | null;
  /** Whether the key is still valid. */
  isGood(id: string): boolean;
}

/** Caller over the Unix socket; file permissions protect the socket. */
export const LOCAL_CALLER: Caller = { id: 'local', name: 'Unix socket', scopes: ['admin'], expiresAt: null };
const OWNER: Caller = { id: 'owner', name: 'owner', scopes: ['admin'], expiresAt: null };
/** Whether a caller's key is still valid: keys can be revoked and expire. */
export function isStillGood(caller: Caller, keys: Keyring | undefined): boolean {
  return caller === OWNER || caller === LOCAL_CALLER || keys?.isGood(caller.id) === true;
}
const TOKEN_CHARACTERS_MIN = 16;
/** Longest secret that is hashed. */
const SECRET_CHARACTERS_MAX = 512;

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

export interface AuthOptions {
  token: string;
  keys?: Keyring;
  throttle: Throttle;
}

/** Throws for a token under TOKEN_CHARACTERS_MIN characters. */
export function requireStrong(token: string): void {
  if (token.length < TOKEN_CHARACTERS_MIN)
    throw new Error(`the API token is too short: use at least ${TOKEN_CHARACTERS_MIN} characters`);
}

/** Returns a function that finds the caller of an Authorization header; it throws UNAUTHORIZED or TOO_MANY_FAILURES. */
export function authenticator({ token, keys, throttle }: AuthOptions): (header: string, address: string) => Caller {
  requireStrong(token);
  const expected = digest(token);
  const callerOf = (header: string, address: string): Caller | null => {
    const secret = /^Bearer +([\x21-\x7e]+) *$/i.exec(header)?.[1];
    if (secret === undefined || secret.length > SECRET_CHARACTERS_MAX) return null;
    // Compares digests in constant time.
    if (timingSafeEqual(digest(secret), expected)) return OWNER;
    return keys?.find(secret, address) ?? null;
  };
  return (header, address) => {
    throttle.refuseLocked(address);
    const caller = callerOf(header, address);
    if (caller !== null) return caller;
    // A call without a token is not counted as a guess.
    if (header !== '') throttle.noteFailure(address);
    throw new ApiError(
      'UNAUTHORIZED',
      'send `Authorization: Bearer TOKEN`; the token is in the file api-token of the data folder',
    );
  };
}

/** Each scope includes the lower ones. */
const RANK: Readonly<Record<Scope, number>> = { open: 0, read: 1, operate: 2, admin: 3 };

export function allows({ scopes }: Pick<Caller, 'scopes'>, scope: Scope): boolean {
  return scope === 'open' || scopes.some(held => RANK[held] >= RANK[scope]);
}

export function requireScope(caller: Caller, scope: Scope): void {
  if (allows(caller, scope)) return;
  throw new ApiError(
    'FORBIDDEN',
    `this operation needs a key with the scope ${scope}; the key ${JSON.stringify(caller.name)} has ${caller.scopes.join(', ')}`,
  );
}
