import { existsSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { z } from 'zod'
import { makeDirectory } from '../kernel/make-directory.ts'
import { ensureKeyFile, readKeyFile } from '../kernel/crypto/key-file.ts'
import type { KeyPair } from '../kernel/crypto/keys.ts'
import { replaceFile } from '../kernel/durable-file.ts'
import { PeerRefusal } from '../kernel/http/call-json.ts'
import { isServerUrl } from '../kernel/http/server-url.ts'
import { parseJson } from '../kernel/parse-json.ts'
import { describeProblems, fieldProblems, parseWith } from '../kernel/parse.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import { parseYaml } from '../kernel/yaml.ts'
import { knownCountrySchema } from '../protocol/law/countries.ts'
import { countrySchema, memberIdSchema } from '../protocol/wire.ts'
import type { PinStore } from '../sdk/pin-sites.ts'
import { NO_PINNED_KEYS, pinnedKeysSchema } from '../sdk/pinned-keys.ts'
import { WrongUse } from './failures.ts'
import { namesIn, whyNothing } from './require-home.ts'

/**
 * A member's place on this machine, `members/ID/` below the home directory: `profile.yaml` (who, which network),
 * `keys/` (mode 0600), `pinned-keys.json` (whose keys are believed since when), `releases/` and `receipts/`.
 */
export interface MemberProfile {
  readonly directory: string
  readonly member: string
  readonly country: string | undefined
  readonly networkUrl: string | undefined
  readonly signing: KeyPair
  readonly sealing: KeyPair
  /** Sealing keys that were rotated away. */
  readonly retiredSealing: readonly KeyPair[]
}

const profileSchema = z.strictObject({
  member: memberIdSchema,
  country: countrySchema.optional(),
  networkUrl: z
    .string()
    .refine(isServerUrl, 'expected the address of the network, such as http://127.0.0.1:7400')
    .optional(),
})

/** What is noted of a member when its keys are made. */
export interface MemberFacts {
  readonly member: string
  readonly country?: string | undefined
  readonly networkUrl?: string | undefined
}

/** Where a member's files are. */
function memberDirectory(home: string, member: string): string {
  return join(home, 'members', member)
}

/** Makes a member's directory and keys if they are missing, and reads them. */
export async function makeMemberProfile(home: string, facts: MemberFacts): Promise<MemberProfile> {
  const parsed = parseWith(profileSchema.extend({ country: knownCountrySchema.optional() }), facts)
  if (!parsed.ok) throw new WrongUse(`Cannot make the member: ${describeProblems(parsed.error)}`)
  const directory = memberDirectory(home, facts.member)
  const file = join(directory, 'profile.yaml')
  makeDirectory(directory)
  await ensureKeyFile(join(directory, 'keys', 'signing.jwk'), 'Ed25519')
  await ensureKeyFile(join(directory, 'keys', 'sealing.jwk'), 'X25519')
  // Written whole and last: without it there is no member here, whatever ended in between.
  if (!existsSync(file)) await replaceFile(file, stringify(parsed.value), { mode: 0o600 })
  return readMemberProfile(home, facts.member)
}

/**
 * Does something with a member's keys that may be refused; keys that were made for it alone go again then, so that no
 * member is left behind whom nobody knows. Keys of a side that was not reached stay: it may have taken them.
 */
export async function withMemberProfile<T>(
  home: string,
  facts: MemberFacts,
  act: (profile: MemberProfile) => Promise<T>,
): Promise<T> {
  const directory = memberDirectory(home, facts.member)
  const wasThere = existsSync(directory)
  const profile = await makeMemberProfile(home, facts)
  try {
    return await act(profile)
  } catch (thrown) {
    if (!wasThere && thrown instanceof PeerRefusal && thrown.status < 500)
      await rm(directory, { recursive: true })
    throw thrown
  }
}

/** Reads a member's profile and keys; without a name the only one there is. `said`: how a verb is told which one. */
export async function readMemberProfile(
  home: string,
  name: string | undefined,
  said = 'with --as ID',
): Promise<MemberProfile> {
  const member = name ?? (await onlyMember(home, said))
  const named = memberIdSchema.safeParse(member)
  if (!named.success)
    throw new WrongUse(
      `Cannot act as "${member}": ${describeProblems(fieldProblems(named.error)).replace('(whole): ', '')}`,
    )
  const directory = memberDirectory(home, member)
  const text = await readFile(join(directory, 'profile.yaml'), 'utf8').catch(whenMissing(undefined))
  if (text === undefined)
    throw new WrongUse(
      `Cannot act as "${member}": there are no keys of it under "${join(home, 'members')}"; make them with "hedgerow member keys ${member}"`,
    )
  const document = parseYaml(text)
  const parsed = document.ok ? parseWith(profileSchema, document.value) : document
  if (!parsed.ok)
    throw new WrongUse(`Cannot read "${join(directory, 'profile.yaml')}": ${describeProblems(parsed.error)}`)
  return {
    directory,
    member,
    country: parsed.value.country,
    networkUrl: parsed.value.networkUrl,
    signing: await readKeyFile(join(directory, 'keys', 'signing.jwk')),
    sealing: await readKeyFile(join(directory, 'keys', 'sealing.jwk')),
    retiredSealing: await readRetired(join(directory, 'keys', 'retired')),
  }
}

async function readRetired(directory: string): Promise<readonly KeyPair[]> {
  const names = await readdir(directory).catch(whenMissing<readonly string[]>([]))
  return Promise.all(
    names.filter((name) => name.startsWith('sealing-')).map((name) => readKeyFile(join(directory, name))),
  )
}

async function onlyMember(home: string, said: string): Promise<string> {
  const names = namesIn(home, 'members')
  const [only] = names
  if (only === undefined)
    throw new WrongUse(
      `There is no member under "${home}"${whyNothing(home)}: make one with "hedgerow member keys ID", or set HEDGEROW_HOME to where yours is`,
    )
  if (names.length === 1) return only
  throw new WrongUse(`Say which member acts, ${said}: there are ${names.join(', ')}`)
}

/** The file of pinned keys of a directory. Written beside and moved into place. */
export function pinFile(directory: string): PinStore {
  const file = join(directory, 'pinned-keys.json')
  return {
    async read() {
      const text = await readFile(file, 'utf8').catch(whenMissing(undefined))
      if (text === undefined) return NO_PINNED_KEYS
      const parsed = pinnedKeysSchema.safeParse(parseJson(text))
      if (!parsed.success)
        throw new WrongUse(
          `Cannot read "${file}": it is not a file of pinned keys; restore it, or remove it to trust on first use again`,
        )
      return parsed.data
    },
    async write(pinned) {
      makeDirectory(directory)
      await replaceFile(file, `${JSON.stringify(pinned, null, 2)}\n`, { mode: 0o600 })
    },
  }
}
