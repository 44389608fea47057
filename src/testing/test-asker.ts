import { later } from '../kernel/clock.ts'
import { openSealed } from '../kernel/crypto/jwe.ts'
import { money } from '../kernel/money.ts'
import { systemRandom } from '../kernel/random.ts'
import { memberRecordSchema, workItemSchema } from '../protocol/http/network-api.ts'
import type { Mode } from '../protocol/mode.ts'
import { TYP } from '../protocol/proof/message-types.ts'
import { releaseSchema } from '../protocol/release.ts'
import type { Release } from '../protocol/release.ts'
import type { AskId } from '../protocol/wire.ts'
import { buildAsk } from '../sdk/build-ask.ts'
import { answerAsk } from '../site/asks/answer-ask.ts'
import type { StoredAnswer } from '../site/asks/answer-store.ts'
import type { PulledAsk } from '../site/line/serve-line.ts'
import type { SiteContext } from '../site/site-context.ts'
import { publicKeys, testParty } from './test-network.ts'
import type { BareSite } from './test-site.ts'

/** What somebody asks, over the athletes unless it says otherwise. */
export interface TestAsk {
  readonly mode?: Mode
  readonly dryRun?: boolean
  readonly offer?: string
  /** In minor units. */
  readonly most?: number
}

/** One who asks a site of which a test holds the inside, without a network. */
export interface TestAsker {
  readonly name: string
  /** An ask that was signed, as often as it is to be answered. */
  readonly prepare: (
    sql: string,
    asked?: TestAsk,
  ) => Promise<{ readonly ask: AskId; readonly pulled: PulledAsk }>
  /** Asks, and gives what an answer shows: the rows, or why there are none. `parts`: of a site of which something is otherwise. */
  readonly ask: (sql: string, asked?: TestAsk & { readonly parts?: SiteContext }) => Promise<TestTold>
}

/** What an asker is told. */
export interface TestTold {
  readonly reason: string
  readonly rows: readonly (readonly unknown[])[] | undefined
}

/** An acquirer by name, whose asks come to the site as the line would bring them. */
export function testAsker(bare: Pick<BareSite, 'site'>, name: string): TestAsker {
  const party = testParty(name)
  const keys = publicKeys(party)
  const acquirer = memberRecordSchema.parse({
    id: name,
    name,
    country: 'IE',
    roles: ['acquirer'],
    acquirerClass: 'researcher',
    keys,
    firstKeys: keys,
  })
  const prepare: TestAsker['prepare'] = async (sql, asked = {}) => {
    const { mode = 'aggregate', dryRun = false, offer = 'athletes', most = 5_000 } = asked
    const { site } = bare
    const built = await buildAsk(
      {
        acquirer: name,
        purpose: 'dpv:AcademicResearch',
        legalBasis: 'eu-gdpr:A6-1-a',
        mode,
        offer,
        releaseTo: { jurisdiction: 'IE' },
        question: { sql, parameters: [] },
        maxPrice: money(BigInt(most), 'EUR'),
        expires: later(site.clock.now(), 60_000),
        dryRun,
      },
      {
        sealingKeys: new Map([[site.site, site.keys.sealing.publicJwk]]),
        key: party.signing,
        ids: site.ids,
        random: systemRandom,
      },
    )
    const item = workItemSchema.parse({
      ask: built.ask.id,
      acquirer: name,
      jws: built.jws,
      dataSet: offer,
      priceLimit: { amount: most, currency: 'EUR' },
      dryRun,
      expires: '2100-01-01T00:00:00Z',
    })
    return { ask: built.ask.id, pulled: { item, batchJws: undefined, acquirer, signer: acquirer } }
  }
  return {
    name,
    prepare,
    async ask(sql, { parts = bare.site, ...asked } = {}) {
      const { pulled } = await prepare(sql, asked)
      const answer = await answerAsk(pulled, { parts, events: parts.events })
      return { reason: reasonOf(answer), rows: releaseOf(answer)?.rows }
    },
  }

  function releaseOf({ releaseJwe }: StoredAnswer): Release | undefined {
    if (releaseJwe === undefined) return undefined
    const opened = openSealed(releaseJwe, { key: party.sealing, typ: TYP.release })
    return opened && releaseSchema.parse(JSON.parse(Buffer.from(opened).toString()))
  }
}

function reasonOf({ decision }: StoredAnswer): string {
  return decision !== null && typeof decision === 'object' && 'reason' in decision
    ? String(decision.reason)
    : ''
}
