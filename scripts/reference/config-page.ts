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
were first seen), \`receipts/\` and \`profile.yaml\`. While a server runs, the file \`address\` in its directory says where it
listens: verbs on the same machine look there first.

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
      'address of the network; absent: that of the member’s profile, else `http://127.0.0.1:7400`; where that is on this machine, the one that runs under `HEDGEROW_HOME` comes first',
    ],
    ['`HEDGEROW_MEMBER`', 'member that asks, where `--as` is not given'],
    ['`HEDGEROW_SITE`', 'site, where `--site` is not given'],
    ['`NO_COLOR`', 'any value: no colour (no-color.org), and no line that is written over again'],
    ['`TERM`', '`dumb`: the same'],
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
  const rows = settingsOf(json).map(({ path, setting, need }) => [
    `\`${path}\``,
    typeOf(setting),
    setting.default === undefined ? (need ?? '') : `\`${JSON.stringify(setting.default)}\``,
    names.has(path) ? `\`${names.get(path) ?? ''}\`` : '',
    MEANINGS[path] ?? comments.get(path.split('.').at(-1) ?? '') ?? '',
  ])
  return markdownTable(['setting', 'type', 'default', 'environment', 'meaning'], rows)
}

function settingsOf(
  json: JsonSchema,
  { prefix = '', need = 'required' }: { prefix?: string; need?: string } = {},
): { path: string; setting: JsonSchema; need: string | undefined }[] {
  return Object.entries(json.properties ?? {}).flatMap(([name, setting]) => {
    const path = `${prefix}${name}`
    const isRequired = json.required?.includes(name) ?? false
    if (setting.properties)
      return settingsOf(setting, { prefix: `${path}.`, need: isRequired ? need : `with \`${path}\`` })
    return [{ path, setting, need: isRequired ? need : undefined }]
  })
}

function typeOf({ type, enum: values, minimum, maximum, format }: JsonSchema): string {
  if (values) return values.map((value) => `\`${String(value)}\``).join(', ')
  if (type === 'integer' || type === 'number') {
    const isBounded = minimum !== undefined && maximum !== undefined && Math.abs(maximum) < 1e12
    return isBounded ? `${minimum} to ${maximum}` : 'a number'
  }
  if (type === 'array') return 'a list'
  if (type === 'boolean') return '`true`, `false`'
  if (type === 'object') return 'names, each with a text'
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
  'refusals.most':
    'How often the guard may hold something back from one acquirer (or group) over one data set, in a window: each time tells one bit.',
  'refusals.windowDays': 'Days of that window, which moves.',
  'privacy.epsilonPerPersonAndAcquirer':
    'What one person may lose to one acquirer in a calendar year in the mode `private`.',
  'privacy.epsilonPerPerson': 'What one person may lose to all acquirers together in a calendar year.',
  'dataRights.agents':
    'Agents that may make requests for people by the Data Rights Protocol: `id`, `name`, `verifyKey`, `callbackOrigins`. Without `dataRights`, none may.',
  'dataRights.businesses':
    'For which issuers they may: `id`, `issuer`, `personClaim`, `verificationUrl`, `regimes`.',
  'dataRights.mayCallPrivateAddresses':
    'Whether an agent may be told at an address of the local network or of this machine.',
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
