import { hkdfSync } from 'node:crypto'
import { join } from 'node:path'
import { ensureKeyFile, readKeyFile } from '../kernel/crypto/key-file.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { ensureSecretFile, readSecretFile } from '../kernel/crypto/secret-file.ts'
import { Secret } from '../kernel/secret.ts'

/** Everything secret that a site holds. The files are below `keys/`, each with mode 0600. */
export interface SiteKeys {
  /** Signs receipts, decisions, clearing records, and the checkpoints of the log. */
  readonly signing: KeyPair
  /** Questions are sealed to this. */
  readonly sealing: KeyPair
  /** The operator's: signs location evidence and the operator's requests. */
  readonly operator: KeyPair
  /** Wraps the data keys of people. */
  readonly wrapping: Secret<Uint8Array>
  /** Turns the key that an issuer knows a person by into the digest by which the site finds them. */
  readonly lookup: Secret<Uint8Array>
  /** Makes pairwise pseudonyms. */
  readonly pseudonym: Secret<Uint8Array>
  /** Keeps noisy answers at rest, and chooses in which groups a person counts. */
  readonly answers: Secret<Uint8Array>
}

/** Makes the keys that are missing and reads all of them. Only `hedgerow site init` makes keys. */
export async function makeSiteKeys(directory: string): Promise<SiteKeys> {
  await ensureKeyFile(join(directory, 'signing.jwk'), 'Ed25519')
  await ensureKeyFile(join(directory, 'sealing.jwk'), 'X25519')
  await ensureKeyFile(join(directory, 'operator.jwk'), 'Ed25519')
  await ensureSecretFile(join(directory, 'master.key'))
  return readSiteKeys(directory)
}

/** Reads the keys of a site; a missing or exposed file is a fault, never mended by making a new key. */
export async function readSiteKeys(directory: string): Promise<SiteKeys> {
  const master = await readSecretFile(join(directory, 'master.key'))
  return {
    signing: await readKeyFile(join(directory, 'signing.jwk')),
    sealing: await readKeyFile(join(directory, 'sealing.jwk')),
    operator: await readKeyFile(join(directory, 'operator.jwk')),
    wrapping: derive(master, 'person-key-wrapping'),
    lookup: derive(master, 'person-lookup'),
    pseudonym: derive(master, 'pairwise-pseudonym'),
    answers: derive(master, 'private-answers'),
  }
}

/** One secret for each use, so that none helps against another (HKDF, RFC 5869). */
function derive(master: Secret<Uint8Array>, use: string): Secret<Uint8Array> {
  return new Secret(
    new Uint8Array(hkdfSync('sha256', master.reveal(), new Uint8Array(), `hedgerow/site/${use}`, 32)),
  )
}
