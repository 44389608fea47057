import { readFile, writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import { makeDirectory } from '../kernel/make-directory.ts'
import { Fault } from '../kernel/faults.ts'
import { describeProblems, parseWith } from '../kernel/parse.ts'
import { whenMissing } from '../kernel/when-missing.ts'
import { parseYaml } from '../kernel/yaml.ts'
import type { KeySet } from '../protocol/member.ts'
import { siteDirectory, siteSettingsSchema } from './config.ts'
import type { SiteSettings } from './config.ts'
import { makeSiteKeys } from './site-keys.ts'

/** What a new site is told; everything else has a safe default and stands in its config.yaml to be changed. */
export interface NewSiteFacts {
  readonly site: string
  readonly custodian: string
  readonly territory: string
  readonly networkUrl: string
  readonly host?: string | undefined
  readonly port?: number | undefined
}

/** What the network's operator needs to register the site. */
export interface InitialisedSite {
  readonly settings: SiteSettings
  readonly keys: KeySet
  readonly isNew: boolean
}

/**
 * Makes a site's directory: mode 0700, its keys, its settings. Done again with the same facts it changes nothing; with
 * other facts it refuses, because a site's keys belong to one name and one place.
 */
export async function initSite(root: string, facts: NewSiteFacts): Promise<InitialisedSite> {
  const directory = siteDirectory(root)
  const wanted = parseWith(siteSettingsSchema, {
    site: facts.site,
    custodian: facts.custodian,
    territory: facts.territory,
    network: { url: facts.networkUrl },
    ...(facts.host === undefined ? {} : { host: facts.host }),
    ...(facts.port === undefined ? {} : { port: facts.port }),
  })
  if (!wanted.ok) {
    throw new Fault('fault.configuration', {
      what: `Cannot make the site: ${describeProblems(wanted.error)}`,
      errors: wanted.error,
    })
  }
  const existing = await readExisting(directory.config)
  if (existing) requireSameSite(existing, wanted.value)
  makeDirectory(root)
  const keys = await makeSiteKeys(directory.keys)
  if (!existing) await writeFile(directory.config, configText(wanted.value), { mode: 0o600, flag: 'wx' })
  return {
    settings: existing ?? wanted.value,
    keys: { signing: keys.signing.publicJwk, sealing: keys.sealing.publicJwk },
    isNew: existing === undefined,
  }
}

async function readExisting(file: string): Promise<SiteSettings | undefined> {
  const text = await readFile(file, 'utf8').catch(whenMissing(undefined))
  if (text === undefined) return undefined
  const document = parseYaml(text)
  const parsed = document.ok ? parseWith(siteSettingsSchema, document.value) : document
  if (parsed.ok) return parsed.value
  throw new Fault('fault.configuration', {
    what: `Cannot use "${file}": ${describeProblems(parsed.error)}`,
    errors: parsed.error,
  })
}

function requireSameSite(existing: SiteSettings, wanted: SiteSettings): void {
  for (const field of ['site', 'custodian', 'territory'] as const) {
    if (existing[field] !== wanted[field]) {
      throw new Fault('fault.conflict', {
        what: `Cannot make the site "${wanted.site}" here: the directory holds one whose ${field} is "${existing[field]}"`,
      })
    }
  }
}

function configText({
  site,
  custodian,
  territory,
  network,
  host,
  port,
  vault,
  logLevel,
}: SiteSettings): string {
  return `# Settings of this site; docs/reference/config.md has every one. The environment and flags win over this file.\n${stringify(
    { site, custodian, territory, network, host, port, vault, logLevel },
  )}`
}
