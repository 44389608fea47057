import { link, readFile, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { formatInstant } from '../../kernel/clock.ts'
import type { Instant } from '../../kernel/clock.ts'
import { peekJws } from '../../kernel/crypto/jws.ts'
import { ensureKeyFile, readKeyFile } from '../../kernel/crypto/key-file.ts'
import { keyIdOf } from '../../kernel/crypto/keys.ts'
import type { KeyPair } from '../../kernel/crypto/keys.ts'
import { writePrivateFile } from '../../kernel/crypto/private-file.ts'
import { replaceKeyFile, wipeReplaced } from '../../kernel/crypto/replace-key-file.ts'
import { syncDirectory } from '../../kernel/durable-file.ts'
import { PeerRefusal } from '../../kernel/http/call-json.ts'
import { makeDirectory } from '../../kernel/make-directory.ts'
import { whenMissing } from '../../kernel/when-missing.ts'
import { signKeyRotation } from '../../protocol/proof/key-chain.ts'
import { keyRotationSchema } from '../../protocol/member.ts'
import type { KeyRotation, KeySet } from '../../protocol/member.ts'
import type { LeftLog } from '../../transparency/log-position.ts'

const USES = ['sealing', 'signing'] as const
const PENDING_FILE = 'next-rotation.jws'

/** What a rotation of the keys in a directory is told. */
export interface KeyFileRotation {
  /** `signing.jwk` and `sealing.jwk` lie here. */
  readonly directory: string
  /** The member or site whose keys they are. */
  readonly name: string
  readonly now: Instant
  /** Of a site, which is stopped: the log that its key leaves, for the statement to tell (docs/decisions/0032). */
  readonly leaveLog?: () => Promise<LeftLog>
  /** Of a site: the statements of it that the network has taken. */
  readonly taken?: () => Promise<readonly string[]>
  /** Tells the network, calling as the one who holds `key`. */
  readonly submit: (rotation: string, key: KeyPair) => Promise<void>
  /** What has to be on the disk before the files change places. */
  readonly note?: (rotation: string) => Promise<void>
}

/**
 * Replaces the keys in a directory by new ones, by a statement that the old signing key signs. New keys and statement
 * are on the disk before the network hears of them, and whoever gives the command again goes on where it stopped: the
 * same statement, wherever it was cut off. The old keys go to `retired/`.
 */
export async function rotateKeyFiles(facts: KeyFileRotation): Promise<void> {
  const { directory, submit } = facts
  const rotation = await pendingRotation(facts)
  await submit(rotation, await readKeyFile(join(directory, 'signing.jwk'))).catch(async (thrown: unknown) => {
    if (isRefusedForGood(thrown)) await dropPending(directory)
    // The network may have taken it before the command was cut off: then only the new key is still let in.
    const next = await readKeyFile(join(directory, 'next-signing.jwk')).catch(() => undefined)
    if (!(thrown instanceof PeerRefusal) || thrown.status !== 401 || next === undefined) throw thrown
    await submit(rotation, next).catch(() => {
      throw thrown
    })
  })
  await facts.note?.(rotation)
  await swapFiles(directory, readRotation(rotation).next)
}

/** A statement that was looked at and not taken: the old keys hold, and nothing waits to be ended. Whoever is not let in learns nothing. */
function isRefusedForGood(thrown: unknown): boolean {
  return thrown instanceof PeerRefusal && [400, 403, 404, 409, 422].includes(thrown.status)
}

/** The statement that was begun before, or a new one over new keys. */
async function pendingRotation(facts: KeyFileRotation): Promise<string> {
  const { directory, name, now, leaveLog } = facts
  const file = join(directory, PENDING_FILE)
  const begun = (await readFile(file, 'utf8').catch(whenMissing(undefined)))?.trim()
  if (begun !== undefined && !(await isOutdated(begun, facts))) return begun
  if (begun !== undefined) await dropPending(directory)
  const next: KeySet = {
    signing: (await ensureKeyFile(join(directory, 'next-signing.jwk'), 'Ed25519')).publicJwk,
    sealing: (await ensureKeyFile(join(directory, 'next-sealing.jwk'), 'X25519')).publicJwk,
  }
  const key = await readKeyFile(join(directory, 'signing.jwk'))
  const left = await leaveLog?.()
  const time = formatInstant(left?.at ?? now)
  const rotation = signKeyRotation({ member: name, next, time, key, log: left?.log })
  await writePrivateFile(file, rotation)
  return rotation
}

/**
 * Whether a statement is from before those of a site told of its log, and nobody has it: such a site went on under the old key, and what it
 * signed after the date of the statement would verify no more.
 */
async function isOutdated(begun: string, { leaveLog, taken }: KeyFileRotation): Promise<boolean> {
  if (!leaveLog || !taken || readRotation(begun).log !== undefined) return false
  return !(await taken()).includes(begun)
}

async function dropPending(directory: string): Promise<void> {
  await unlink(join(directory, PENDING_FILE))
  await syncDirectory(directory)
}

function readRotation(rotation: string): KeyRotation {
  return keyRotationSchema.parse(JSON.parse(peekJws(rotation)?.payload ?? 'null'))
}

/** Signing last: until then the command, given again, still finds the key that the statement is signed with. */
async function swapFiles(directory: string, next: KeySet): Promise<void> {
  const retired = join(directory, 'retired')
  makeDirectory(retired)
  for (const use of USES) {
    const file = join(directory, `${use}.jwk`)
    const present = await readKeyFile(file)
    if (present.keyId === keyIdOf(next[use])) continue
    const [successor, kept] = [
      join(directory, `next-${use}.jwk`),
      join(retired, `${use}-${present.keyId}.jwk`),
    ]
    if (use === 'signing') {
      // Nothing is ever signed with it again: its public half is enough.
      await writePrivateFile(kept, JSON.stringify(present.publicJwk))
      await replaceKeyFile(file, successor)
    } else {
      await link(file, kept).catch(ignoreExisting)
      await syncDirectory(retired)
      await rename(successor, file)
    }
  }
  await wipeReplaced(join(directory, 'signing.jwk'))
  await dropPending(directory)
}

function ignoreExisting(thrown: NodeJS.ErrnoException): void {
  if (thrown.code !== 'EEXIST') throw thrown
}
