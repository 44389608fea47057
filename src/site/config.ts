import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../kernel/faults.ts'
import { metricsReadersSchema } from '../kernel/http/metrics-readers.ts'
import { siteRequestRatesSchema } from '../kernel/http/request-rates.ts'
import { loadSettings } from '../kernel/load-settings.ts'
import { databaseUrlSchema } from '../kernel/postgres/database-url.ts'
import { ASSURANCES } from '../protocol/law/age-evidence.ts'
import { ADEQUACY_DECISIONS, TRANSFER_SAFEGUARDS } from '../protocol/law/legal-zones.ts'
import { dataRightsSettingsSchema } from './data-rights/directory.ts'
import { countrySchema, memberIdSchema, nameSchema, publicKeySchema, siteIdSchema } from '../protocol/wire.ts'

const portSchema = z.coerce
  .number('expected a port')
  .int('expected a whole number')
  .min(0, 'expected 0 to 65535')
  .max(65_535, 'expected 0 to 65535')

/** What the kill switch takes: ids of adequacy decisions and names of safeguards. */
const TRANSFER_GROUNDS: readonly string[] = [
  ...ADEQUACY_DECISIONS.map(({ id }) => id),
  ...TRANSFER_SAFEGUARDS,
]

/** A list in the file, or names with commas between them in the environment. */
const removedGroundsSchema = z.preprocess(
  (given) => (typeof given === 'string' ? given.split(',').map((name) => name.trim()) : given),
  z.array(
    z.string().refine((name) => TRANSFER_GROUNDS.includes(name), {
      error: `expected one of ${TRANSFER_GROUNDS.join(', ')}`,
    }),
  ),
)

const epsilonSchema = z.coerce
  .number('expected a number from 0.01 to 8')
  .min(0.01, 'expected a number from 0.01 to 8')
  .max(8, 'expected a number from 0.01 to 8')

/** A site's settings. Defaults are safe; an insecure one has to be asked for by its long name and is logged at every start. */
export const siteSettingsSchema = z.strictObject({
  site: siteIdSchema,
  custodian: memberIdSchema,
  /** The territory in which the site stands (ISO 3166-1 alpha-2); evidence must agree. */
  territory: countrySchema,
  network: z.strictObject({
    url: z.url({
      protocol: /^https?$/,
      error: 'expected the address of the network, such as http://127.0.0.1:7400',
    }),
    /** The network's name: what the site's tokens are for. */
    name: nameSchema.default('network'),
    /** Its public signing key (`x` of the JWK in `GET /v1/network`), when you compared it by another way: then no rotation is followed. */
    key: publicKeySchema.shape.x.optional(),
  }),
  /** The kill switch: adequacy decisions (`adequacy-us`) and safeguards (`scc`, `bcr`) that count no more at this site, whatever the tables say. Commas between them in the environment. */
  removedTransferGrounds: removedGroundsSchema.default([]),
  host: z.string().default('127.0.0.1'),
  port: portSchema.default(7411),
  /** Where callers reach this site when a proxy stands before it, such as `https://site.example.org`: decision points and agents are told it. Absent: the address by which they asked. */
  publicUrl: z
    .url({
      protocol: /^https?$/,
      error: 'expected the address of this site, such as https://site.example.org',
    })
    .transform((url) => url.replace(/\/+$/, ''))
    .optional(),
  databaseUrl: databaseUrlSchema.optional(),
  vault: z
    .strictObject({
      memoryMb: z.coerce.number().int().min(128, 'expected 128 or more').default(256),
      threads: z.coerce.number().int().min(1).max(64).default(2),
    })
    .prefault({}),
  /** Acquirers that put their answers together, list by list: each list is guarded as one, beside what the network declares. */
  colluding: z.array(z.array(memberIdSchema).min(2, 'expected two members or more')).default([]),
  /** How often the guard may hold something back from one acquirer (or group) over one data set: each time tells one bit. */
  refusals: z
    .strictObject({
      /** Times in a window. */
      most: z.coerce.number().int().min(1).max(10_000).default(100),
      /** Days of the window, which moves. */
      windowDays: z.coerce.number().int().min(1).max(3_650).default(30),
    })
    .prefault({}),
  /** What the network lets this site approve without reaching it. */
  floorLimits: z
    .strictObject({
      /** Seconds between looks for new limits; what is booked is cleared at once when the network is there. */
      refreshSeconds: z.coerce
        .number()
        .min(0.1, 'expected 0.1 to 3600')
        .max(3_600, 'expected 0.1 to 3600')
        .default(15),
    })
    .prefault({}),
  /** How restrictions of processing end. */
  restriction: z
    .strictObject({
      /** Hours from telling the person that a restriction will be lifted until it is (GDPR Art. 18(3)). */
      noticeHours: z.coerce
        .number()
        .min(0, 'expected 0 to 8760')
        .max(8_760, 'expected 0 to 8760')
        .default(72),
    })
    .prefault({}),
  /** Notices to acquirers that were given rows of somebody. */
  notices: z
    .strictObject({
      /** Days until a notice that is not acknowledged counts as overdue. */
      dueDays: z.coerce.number().min(1, 'expected 1 to 365').max(365, 'expected 1 to 365').default(30),
    })
    .prefault({}),
  /** How people's ages are judged. */
  age: z
    .strictObject({
      /** Whose credentials about ages are believed when a wallet shows them: their name (`iss`) and public keys (JWK). */
      attesters: z
        .array(
          z.strictObject({
            issuer: z.url('expected the address that is the issuer of the credentials'),
            keys: z.array(z.looseObject({ kty: z.string() })).min(1, 'expected at least one key'),
          }),
        )
        .default([]),
      /** The least that evidence has to be worth to make somebody old enough of whose age the data says nothing; what is worth less only makes younger. */
      leastAssurance: z.enum(ASSURANCES, `expected one of ${ASSURANCES.join(', ')}`).default('substantial'),
    })
    .prefault({}),
  /** How erasures are carried out. */
  erasure: z
    .strictObject({
      /** Hours from a request until nothing is in any file of the site; a compaction takes place in between. */
      windowHours: z.coerce
        .number()
        .min(1, 'expected 1 to 720')
        .max(720, 'expected 1 to 720: a month is the longest that the law gives')
        .default(24),
      /** The list of whom a restored backup must erase again; absent: in the safe. Never part of a backup. */
      forgottenList: z.string().min(1).optional(),
    })
    .prefault({}),
  /** Backups, and what is kept apart from them for a restore. */
  backup: z
    .strictObject({
      /** Where backups are written; absent: `backups` of the site. Best on another disk. */
      directory: z.string().min(1).optional(),
      /** The safe: keys of backups, whom a restore must erase again, the newest receipts. Absent: `safe` of the site. On a disk that is neither the site's nor that of the backups. */
      safe: z.string().min(1).optional(),
      /** The file of the backup key (mode 0600); absent: `keys/backup.key` of the site, made with the first backup. Keep a copy elsewhere. */
      keyFile: z.string().min(1).optional(),
      /** Days after which a backup can be read no more: its key is destroyed. */
      windowDays: z.coerce
        .number()
        .min(1, 'expected 1 to 366')
        .max(366, 'expected 1 to 366: what was erased must not be kept for years')
        .default(30),
    })
    .prefault({}),
  /** How people sign in: tokens of this OpenID Connect provider; `personClaim` holds the key their issuer knows them by. */
  oidc: z
    .strictObject({
      issuer: z.url('expected the address of an OpenID Connect provider'),
      audience: z.string().min(1),
      personClaim: z.string().min(1).default('sub'),
      /** The issuer (member) whose people sign in here. */
      member: memberIdSchema,
      /** Other issuers that have data of the same people here, each with the claim that holds the key it knows them by. */
      otherClaims: z.record(memberIdSchema, z.string().min(1)).default({}),
      /** Where the provider's keys are; absent: as its discovery document says. */
      jwksUrl: z.url('expected the address of a JSON Web Key Set').optional(),
    })
    .optional(),
  /** What one person may lose in a calendar year to the mode `private`: to one acquirer, and to all together. */
  privacy: z
    .strictObject({
      epsilonPerPersonAndAcquirer: epsilonSchema.default(1),
      epsilonPerPerson: epsilonSchema.default(4),
    })
    .prefault({}),
  /** The Data Rights Protocol: agents that may make requests for people, and for which issuers. Absent: nobody may. */
  dataRights: dataRightsSettingsSchema.optional(),
  requestRates: siteRequestRatesSchema,
  /** Machines that may read `/metrics`, besides this one: it tells what is done for people as it happens. */
  metricsReaders: metricsReadersSchema,
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
})
export type SiteSettings = z.infer<typeof siteSettingsSchema>

/** Environment names of the settings; flags of the command line win over them. */
export const SITE_ENVIRONMENT = {
  HEDGEROW_NETWORK_URL: 'network.url',
  HEDGEROW_NETWORK_NAME: 'network.name',
  HEDGEROW_REMOVED_TRANSFER_GROUNDS: 'removedTransferGrounds',
  HEDGEROW_HOST: 'host',
  HEDGEROW_PORT: 'port',
  HEDGEROW_DATABASE_URL: 'databaseUrl',
  HEDGEROW_VAULT_MEMORY_MB: 'vault.memoryMb',
  HEDGEROW_VAULT_THREADS: 'vault.threads',
  HEDGEROW_PRIVACY_PER_PERSON_AND_ACQUIRER: 'privacy.epsilonPerPersonAndAcquirer',
  HEDGEROW_PRIVACY_PER_PERSON: 'privacy.epsilonPerPerson',
  HEDGEROW_LOG_LEVEL: 'logLevel',
} as const

/** The files of a site below its directory. */
export interface SiteDirectory {
  readonly root: string
  readonly config: string
  readonly keys: string
  readonly vault: string
  readonly log: string
  readonly spool: string
  readonly safe: string
  readonly backups: string
  /** The site's own backup key, where the settings name no other. */
  readonly backupKey: string
}

export function siteDirectory(root: string): SiteDirectory {
  return {
    root,
    config: join(root, 'config.yaml'),
    keys: join(root, 'keys'),
    vault: join(root, 'vault'),
    log: join(root, 'log'),
    spool: join(root, 'spool'),
    safe: join(root, 'safe'),
    backups: join(root, 'backups'),
    backupKey: join(root, 'keys', 'backup.key'),
  }
}

/** Reads a site's settings: its config.yaml, then the environment, then flags. */
export async function loadSiteSettings({
  directory,
  file,
  environment,
  flags,
}: {
  directory: SiteDirectory
  file?: string | undefined
  environment: Readonly<Record<string, string | undefined>>
  flags: Readonly<Record<string, unknown>>
}): Promise<SiteSettings> {
  if (file === undefined && !existsSync(directory.config)) {
    throw new Fault('fault.configuration', {
      what: `There is no site in "${directory.root}": make it with "hedgerow site init", or look at its name and at HEDGEROW_HOME`,
    })
  }
  return loadSettings(siteSettingsSchema, {
    file: file ?? directory.config,
    environment,
    environmentNames: SITE_ENVIRONMENT,
    flags,
  })
}
