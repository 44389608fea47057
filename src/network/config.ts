import { join } from 'node:path'
import { z } from 'zod'
import { requestRatesSchema } from '../kernel/http/request-rates.ts'
import { loadSettings } from '../kernel/load-settings.ts'
import { databaseUrlSchema } from '../kernel/postgres/database-url.ts'
import { nameSchema } from '../protocol/wire.ts'

/** A network's settings. Defaults are safe: loopback, an embedded database, activity shown to this machine only. */
export const networkSettingsSchema = z.strictObject({
  /** The name of the network: audience of tokens, signer of its receipts. It stays for good. */
  name: nameSchema.default('network'),
  host: z.string('expected a host').min(1, 'expected a host').default('127.0.0.1'),
  port: z.coerce
    .number('expected a port')
    .int('expected a whole number')
    .min(0, 'expected 0 to 65535')
    .max(65_535, 'expected 0 to 65535')
    .default(7400),
  databaseUrl: databaseUrlSchema.optional(),
  /** Whether the page at `/` shows asks, positions and settlements to browsers on this machine; never through a proxy. */
  activityPage: z.enum(['local', 'off'], 'expected "local" or "off"').default('local'),
  /** How often expired asks are looked for. */
  sweepIntervalMs: z.coerce
    .number('expected milliseconds')
    .int()
    .min(100, 'expected 100 or more')
    .max(60_000, 'expected at most 60000')
    .default(1_000),
  /** Hours from a site's order to delete a sealed release until no file of the network holds it. */
  withdrawalWindowHours: z.coerce
    .number('expected 1 to 720')
    .min(1, 'expected 1 to 720')
    .max(720, 'expected 1 to 720: a month is the longest that the law gives')
    .default(24),
  requestRates: requestRatesSchema,
  logLevel: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'], 'expected debug, info, warn, error or silent')
    .default('info'),
})
export type NetworkSettings = z.infer<typeof networkSettingsSchema>

/** Environment names of the settings; flags of the command line win over them. */
export const NETWORK_ENVIRONMENT = {
  HEDGEROW_NETWORK_NAME: 'name',
  HEDGEROW_HOST: 'host',
  HEDGEROW_PORT: 'port',
  HEDGEROW_DATABASE_URL: 'databaseUrl',
  HEDGEROW_ACTIVITY_PAGE: 'activityPage',
  HEDGEROW_LOG_LEVEL: 'logLevel',
} as const

/** The files of a network below its directory. */
export interface NetworkDirectory {
  readonly root: string
  readonly config: string
  /** Its keys, each with mode 0600 (`network-keys.ts`). */
  readonly keys: string
  readonly operatorKey: string
}

/** Where the files of a network are: `root` is `network/` below the home directory. */
export function networkDirectory(root: string): NetworkDirectory {
  return {
    root,
    config: join(root, 'config.yaml'),
    keys: join(root, 'keys'),
    operatorKey: join(root, 'keys', 'operator.jwk'),
  }
}

/**
 * Reads a network's settings: a file, then the environment, then flags.
 *
 * @throws Fault `fault.configuration` naming every setting that is wrong
 */
export function loadNetworkSettings({
  file,
  environment,
  flags,
}: {
  file?: string | undefined
  environment: Readonly<Record<string, string | undefined>>
  flags: Readonly<Record<string, unknown>>
}): Promise<NetworkSettings> {
  return loadSettings(networkSettingsSchema, {
    file,
    environment,
    environmentNames: NETWORK_ENVIRONMENT,
    flags,
  })
}
