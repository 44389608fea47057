import { lstat, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { canonicalJson } from '../../kernel/canonical-json.ts'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { peekJws, signJws, verifyJws } from '../../kernel/crypto/jws.ts'
import type { KeyPair, PublicJwk } from '../../kernel/crypto/keys.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import { digestOf } from '../../kernel/digest.ts'
import type { Digest } from '../../kernel/digest.ts'
import { Fault } from '../../kernel/faults.ts'
import { LIMITS } from '../../kernel/limits.ts'
import { parseJson } from '../../kernel/parse-json.ts'
import { backupIdSchema } from '../../protocol/http/backup-api.ts'
import { TYP } from '../../protocol/proof/message-types.ts'
import { digestSchema, instantSchema, siteIdSchema } from '../../protocol/wire.ts'
import { requireOwnFile } from './own-file.ts'

/** What a backup is and holds, signed by the site: nothing in it is about a person but how many there are. */
const manifestSchema = z.strictObject({
  form: z.literal('hedgerow-backup-1'),
  backup: backupIdSchema,
  site: siteIdSchema,
  takenAt: instantSchema,
  expiresAt: instantSchema,
  /** The newest signed checkpoint of the log then; absent before the first receipt. */
  checkpoint: z.string().optional(),
  /** Receipts that the record holds, which may be a few more than were published. */
  logSize: z.int().min(0),
  /** People whose keys the safe has of it; backups from before that was counted do not say. */
  people: z.int().min(0).optional(),
  steps: z.array(z.string()),
  tables: z.record(z.string(), z.int().min(0)),
  /** Every file but this, sealed, with its length and digest as it lies there. */
  files: z.array(
    z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][A-Za-z0-9_-]*(?:[/.][A-Za-z0-9_-]+)*$/, 'expected the name of a file'),
      sizeBytes: z.int().min(0),
      digest: digestSchema,
    }),
  ),
})
export type BackupManifest = z.output<typeof manifestSchema>
export type SealedFile = BackupManifest['files'][number]

const FILE = 'manifest.jws'

/** Where a file of a backup lies. */
export function sealedPath(directory: string, name: string): string {
  return join(directory, `${name}.sealed`)
}

export function manifestPath(directory: string): string {
  return join(directory, FILE)
}

/** Signs a manifest; gives its text and digest. */
export function signManifest(
  manifest: Omit<BackupManifest, 'form' | 'takenAt' | 'expiresAt'> & { takenAt: Instant; expiresAt: Instant },
  key: KeyPair,
): { readonly text: string; readonly digest: Digest } {
  const wire: z.input<typeof manifestSchema> = {
    ...manifest,
    form: 'hedgerow-backup-1',
    takenAt: formatInstant(manifest.takenAt),
    expiresAt: formatInstant(manifest.expiresAt),
  }
  const text = signJws(canonicalJson(wire), { typ: TYP.backup, key })
  return { text, digest: digestOf(text) }
}

/**
 * Reads the manifest of a backup. Who signed it can be told only once the site's keys are open (`requireSigned`); until
 * then the digest that the safe keeps vouches for it.
 *
 * @throws Fault `fault.backup_damaged`
 */
export async function readManifest(
  directory: string,
): Promise<{ readonly manifest: BackupManifest; readonly text: string; readonly digest: Digest }> {
  const path = manifestPath(directory)
  if (!(await isThere(path)))
    throw new Fault('fault.backup_damaged', { what: `There is no whole backup in "${directory}"` })
  if ((await requireOwnFile(directory, FILE)) > LIMITS.backupManifestBytesMax)
    throw new Fault('fault.backup_damaged', { what: `Cannot read "${path}"` })
  const text = (await readFile(path, 'utf8')).trim()
  const payload = peekJws(text)?.payload
  const parsed = payload === undefined ? undefined : manifestSchema.safeParse(parseJson(payload))
  if (parsed?.success) return { manifest: parsed.data, text, digest: digestOf(text) }
  throw new Fault('fault.backup_damaged', { what: `Cannot read "${path}"` })
}

function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Refuses a manifest that none of the site's keys, present or former, has signed. */
export function requireSigned(text: string, keys: readonly PublicJwk[]): void {
  const verified = verifyJws(text, {
    typ: TYP.backup,
    keyFor: (keyId) => keys.find((key) => keyIdOf(key) === keyId),
  })
  if (verified.ok) return
  throw new Fault('fault.backup_damaged', {
    what: 'Cannot use the backup: its manifest is not signed by the site whose keys are in it',
  })
}
