import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { NETWORK_ENVIRONMENT, networkSettingsSchema } from '../../src/network/config.ts'
import { SITE_ENVIRONMENT, siteSettingsSchema } from '../../src/site/config.ts'
import { markdownTable } from './markdown.ts'

/** `config.md`: every setting of both servers with type, default and environment name. */
export async function configPage(): Promise<string> {
  return `# Settings

Settings come from \`config.yaml\` in the server’s directory (or \`--config FILE\`), then the environment, then flags;
later ones win. They are read once. Every wrong one is named, and the server ends with exit code 78 before a port opens.

Files are under \`.hedgerow\`, or \`HEDGEROW_HOME\`: \`network/\`, \`sites/NAME/\`, \`members/ID/\`, \`logs/\`. Keys are
files with mode 0600 in \`keys/\`. A member’s directory also holds \`pinned-keys.json\` (whose keys are believed since they
were first seen), \`receipts/\` and \`profile.yaml\`.

## A site

${await settingsTable(siteSettingsSchema, { file: 'src/site/config.ts', environment: SITE_ENVIRONMENT })}

## A network

${await settingsTable(networkSettingsSchema, { file: 'src/network/config.ts', environment: NETWORK_ENVIRONMENT })}

## The command line

${markdownTable(
  ['environment', 'meaning'],
  [
    ['`HEDGEROW_HOME`', 'directory of everything; absent: `.hedgerow` here'],
    [
      '`HEDGEROW_NETWORK_URL`',
      'address of the network; absent: that of the member’s profile, else `http://127.0.0.1:7400`',
    ],
    ['`HEDGEROW_MEMBER`', 'member that asks, where `--as` is not given'],
    ['`HEDGEROW_SITE`', 'site, where `--site` is not given'],
    ['`NO_COLOR`', 'any value: no colour (no-color.org)'],
  ],
)}
`
}

interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
}

async function settingsTable(
  schema: z.ZodType,
  { file, environment }: { file: string; environment: Readonly<Record<string, string>> },
): Promise<string> {
  const comments = commentsOf(await readFile(new URL(`../../${file}`, import.meta.url), 'utf8'))
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema
  const names = new Map(Object.entries(environment).map(([name, path]) => [path, name]))
  const rows = settingsOf(json).map(({ path, setting, isRequired }) => [
    `\`${path}\``,
    typeOf(setting),
    setting.default === undefined ? (isRequired ? 'required' : '') : `\`${JSON.stringify(setting.default)}\``,
    names.has(path) ? `\`${names.get(path) ?? ''}\`` : '',
    comments.get(path.split('.').at(-1) ?? '') ?? MEANINGS[path] ?? '',
  ])
  return markdownTable(['setting', 'type', 'default', 'environment', 'meaning'], rows)
}

function settingsOf(
  json: JsonSchema,
  prefix = '',
): { path: string; setting: JsonSchema; isRequired: boolean }[] {
  return Object.entries(json.properties ?? {}).flatMap(([name, setting]) => {
    const path = `${prefix}${name}`
    if (setting.properties) return settingsOf(setting, `${path}.`)
    return [{ path, setting, isRequired: json.required?.includes(name) ?? false }]
  })
}

function typeOf({ type, enum: values, minimum, maximum, format }: JsonSchema): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ')
  if (type === 'integer' || type === 'number') {
    const isBounded = minimum !== undefined && maximum !== undefined && Math.abs(maximum) < 1e12
    return isBounded ? `${minimum} to ${maximum}` : 'a number'
  }
  if (type === 'array') return 'a list'
  return format === 'uri' ? 'an address' : 'a text'
}

/** The comments right above the fields of a schema. */
function commentsOf(source: string): ReadonlyMap<string, string> {
  const found = source.matchAll(/\/\*\*\s*((?:(?!\*\/)[\s\S])*?)\s*\*\/\s*\n\s*(\w+):/g)
  return new Map(
    [...found].map(([, text = '', name = '']) => [name, text.replaceAll(/\s*\n\s*\*\s?/g, ' ').trim()]),
  )
}

/** Settings whose meaning is the same for both servers, or plain from their name. */
const MEANINGS: Readonly<Record<string, string>> = {
  site: 'The name of the site: audience of tokens, signer of its receipts. It stays for good.',
  custodian: 'The member that runs it.',
  'network.url': 'Where the site dials out to; nothing dials in.',
  host: 'Address on which the door listens.',
  port: 'Port on which the door listens.',
  databaseUrl: 'A PostgreSQL of your own (15 or newer); absent: the embedded one.',
  'vault.memoryMb': 'Memory that the engine of the vault may take.',
  'vault.threads': 'Threads that the engine of the vault may take.',
  'oidc.issuer': 'The OpenID Connect provider by which people sign in.',
  'oidc.audience': 'What its tokens must name as their audience.',
  'oidc.personClaim': 'The claim with the key by which the issuer knows the person.',
  'requestRates.caller.perSecond':
    'Requests a second of one member, site, issuer or officer; a batch is one request.',
  'requestRates.caller.burst': 'How many they may send in a row before that counts.',
  'requestRates.person.perSecond': 'Requests a second of one person who signed in.',
  'requestRates.person.burst': 'How many they may send in a row before that counts.',
  'requestRates.address.perSecond':
    'Requests a second of one address that has to be verified first: tokens, agents’ messages, checkpoints, and tokens that were refused.',
  'requestRates.address.burst': 'How many it may send in a row before that counts.',
  'requestRates.addressHeader':
    'Behind a proxy: the header in which it says who called, such as `x-forwarded-for`; its last value counts. Absent: the other end of the connection. Only where nobody reaches the door but through the proxy.',
  logLevel: 'How much is logged, as JSON lines on standard error.',
}
