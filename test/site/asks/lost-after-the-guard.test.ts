import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { nameOfParts } from '../../../src/site/guard/partition-names.ts'
import type { RawBuilder } from 'kysely'
import { Fault } from '../../../src/kernel/faults.ts'
import { manifestSchema } from '../../../src/protocol/data-set.ts'
import { grantRequestSchema } from '../../../src/protocol/consent/grant.ts'
import type { Mode } from '../../../src/protocol/mode.ts'
import { declined } from '../../../src/protocol/reason.ts'
import { Bitset } from '../../../src/kernel/bitset.ts'
import { answerAsk } from '../../../src/site/asks/answer-ask.ts'
import { countedWhenLost } from '../../../src/site/asks/count-as-told.ts'
import { giveGrants } from '../../../src/site/consent/give-grants.ts'
import type { SiteContext } from '../../../src/site/site-context.ts'
import type { SiteKeys } from '../../../src/site/site-keys.ts'
import type { Vault } from '../../../src/site/vault/vault.ts'
import { testAsker } from '../../../src/testing/test-asker.ts'
import { testGrant, testManifest, testPeople } from '../../../src/testing/test-population.ts'
import { bareSite } from '../../../src/testing/test-site.ts'
import type { BareSite } from '../../../src/testing/test-site.ts'

/*
 * What is computed after the guard, or of noisy values, fails: by a fault of ours or because it takes too long. That it came so far
 * is told by the silence, or by the decline, so it counts as an answer does.
 */

const MODES: Mode[] = ['aggregate', 'private', 'rows']
const people = testPeople(60)
let bare: BareSite
before(async () => {
  bare = await bareSite()
  const manifest = { modes: MODES, columns: withCountries(testManifest('athletes').columns) }
  await bare.fill({ dataSet: 'athletes', people, manifest, hasGrants: false })
  const grants = people.map(({ id }) => grantRequestSchema.parse(testGrant('athletes', id, { modes: MODES })))
  await giveGrants(bare.site.consent, grants, { by: 'issuer:federation' })
  assert.ok(manifestSchema.safeParse(testManifest('athletes', manifest)).success)
})
after(() => bare[Symbol.asyncDispose]())

/** Countries that everybody knows, so that no group of mode `private` is too small to be shown. */
function withCountries(columns: ReturnType<typeof testManifest>['columns']): typeof columns {
  return columns.map((column) =>
    column.name === 'country' ? { ...column, values: ['IE', 'FR', 'DE'] } : column,
  )
}

type Failure = 'by a fault' | 'because it takes too long'

/** What fails: the run without some people, the statement over what was let through, or signing what a run came to. */
type Failing = 'narrowing' | 'finishing' | 'signing' | 'nothing'

function failingParts(what: Failing, how: Failure): SiteContext {
  const { site } = bare
  if (what === 'signing') return { ...site, keys: keysWithoutSigning(site.keys) }
  return what === 'nothing' ? site : { ...site, vault: failingVault(site.vault, what, how) }
}

function keysWithoutSigning(keys: SiteKeys): SiteKeys {
  return Object.defineProperty({ ...keys }, 'signing', {
    get: () => {
      throw new Fault('fault.vault', { what: 'Cannot sign' })
    },
  })
}

function failingVault(vault: Vault, what: Failing, how: Failure): Vault {
  const fail = () => {
    if (how === 'because it takes too long') return declined('declined.timeout')
    throw new Fault('fault.vault', { what: 'Cannot run a statement in the vault: Binder Error' })
  }
  let isWithoutSome = false
  return {
    ...vault,
    withEligible: (eligible, use) => {
      isWithoutSome ||= eligible.people.count() < people.length
      return vault.withEligible(eligible, use)
    },
    run: async (statement, limits) =>
      (what === 'narrowing' && isWithoutSome) || (what === 'finishing' && / as "g" \(/.test(statement.sql))
        ? fail()
        : vault.run(statement, limits),
  }
}

/** One acquirer, whose asks are answered by a site of which something fails. */
function asker(name: string) {
  const { prepare } = testAsker(bare, name)
  return async (text: string, { what, how = 'by a fault', ...asked }: Asking) => {
    const { ask, pulled } = await prepare(text, asked)
    const answer = (failing: Failing) =>
      answerAsk(pulled, { parts: failingParts(failing, how), events: bare.site.events })
    return { ask, answered: answer(what), again: () => answer('nothing') }
  }
}

interface Asking {
  readonly mode?: Mode
  readonly dryRun?: boolean
  readonly what: Failing
  readonly how?: Failure
}

/** The asks that cut an acquirer's partition (not those whose columns were noted beside it), those that lost budget, and those that were refused, in their order. */
async function counted(acquirer: string) {
  const asksOf = async (rows: RawBuilder<{ ask: string }>): Promise<readonly string[]> =>
    (await rows.execute(bare.site.db)).rows.map(({ ask }) => ask)
  return {
    cuts: await asksOf(
      sql`select ask_id as ask from partition_entry
        where acquirer_group = ${acquirer} and data_set not like ${nameOfParts('%')} order by head`,
    ),
    spent: await asksOf(
      sql`select ask_id as ask from privacy_spend where acquirer = ${acquirer} order by id`,
    ),
    refused: await asksOf(
      sql`select ask_id as ask from guard_refusal where acquirer_group = ${acquirer} order by ask_id`,
    ),
  }
}

const ORDERED = 'select country, count(*) from athletes group by country order by 2 desc, 1'

for (const dryRun of [false, true])
  test(`a fault after the guard counts as told${dryRun ? ', of a dry run too' : ''}, and the ask is still answered`, async () => {
    const name = dryRun ? 'looker' : 'prober'
    const { ask, answered, again } = await asker(name)(ORDERED, { what: 'finishing', dryRun })
    await assert.rejects(answered, { code: 'fault.vault' })
    assert.deepEqual((await counted(name)).cuts, [ask])
    assert.partialDeepStrictEqual((await again()).decision, { reason: 'approved' })
    assert.deepEqual((await counted(name)).cuts, [ask])
  })

test('a fault that cannot be counted, because an answer or a change came first, is told to nobody', async () => {
  const asker = testAsker(bare, 'overtaken')
  const first = await asker.prepare('select count(*) from athletes')
  await answerAsk(first.pulled, { parts: bare.site, events: bare.site.events })
  const { ask, pulled } = await asker.prepare(ORDERED)
  let failed = 0
  const vault: Vault = {
    ...bare.site.vault,
    async run(statement, limits) {
      if (!/ as "g" \(/.test(statement.sql) || failed > 0) return bare.site.vault.run(statement, limits)
      failed += 1
      const changed = { dataSet: 'athletes', people: new Bitset(), cause: 'overtakes' }
      await bare.site.db.transaction().execute((tx) => bare.site.partitions.noteChange(tx, changed))
      throw new Fault('fault.vault', { what: 'Cannot run a statement in the vault: Binder Error' })
    },
  }
  const answered = await answerAsk(pulled, { parts: { ...bare.site, vault }, events: bare.site.events })
  assert.equal(failed, 1)
  assert.partialDeepStrictEqual(answered.decision, { reason: 'approved' })
  assert.equal((await counted('overtaken')).cuts.at(-1), ask)
})

test('what was lost is said where it cannot be counted', async () => {
  const fails = (what: string) => () => Promise.reject(new Fault('fault.vault', { what }))
  const told = { beside: {}, commitCuts: fails('The disk is full') }
  await assert.rejects(countedWhenLost(told, bare.site, fails('Cannot sign')), {
    code: 'fault.unavailable',
    message: /Cannot sign.*The disk is full/,
    cause: new Fault('fault.vault', { what: 'Cannot sign' }),
  })
})

test('so does a fault when it is signed', async () => {
  const { ask, answered } = await asker('signer')(ORDERED, { what: 'signing' })
  await assert.rejects(answered, { code: 'fault.vault' })
  assert.deepEqual((await counted('signer')).cuts, [ask])
})

test('and so does a decline', async () => {
  const slow = await asker('sluggard')(ORDERED, { what: 'finishing', how: 'because it takes too long' })
  assert.partialDeepStrictEqual((await slow.answered).decision, { reason: 'declined.timeout' })
  assert.deepEqual((await counted('sluggard')).cuts, [slow.ask])
})

test('rows that were let out of the guard are known when they are lost', async () => {
  const { ask, answered } = await asker('reader')('select height from athletes', {
    what: 'signing',
    mode: 'rows',
  })
  await assert.rejects(answered, { code: 'fault.vault' })
  assert.deepEqual((await counted('reader')).cuts, [ask])
})

test('noise that was drawn is paid for, and is not drawn again for the same ask', async () => {
  const { ask, answered, again } = await asker('drawer')(ORDERED, { what: 'finishing', mode: 'private' })
  await assert.rejects(answered, { code: 'fault.vault' })
  assert.deepEqual((await counted('drawer')).spent, [ask])
  assert.partialDeepStrictEqual((await again()).decision, { reason: 'declined.timeout' })
  assert.deepEqual((await counted('drawer')).spent, [ask])
})

test('a noisy answer that was lost when it was signed is the answer when the ask comes again', async () => {
  const { ask, answered, again } = await asker('undecided')(ORDERED, { what: 'signing', mode: 'private' })
  await assert.rejects(answered, { code: 'fault.vault' })
  assert.deepEqual((await counted('undecided')).spent, [ask])
  assert.partialDeepStrictEqual((await again()).decision, { reason: 'approved' })
  assert.deepEqual((await counted('undecided')).spent, [ask])
})

const CROSSING = 'select count(*) from athletes where score > 10'

test('a second run, without some people, that comes to nothing is a refusal', async () => {
  const ask = asker('crosser')
  const first = await ask(ORDERED, { what: 'nothing' })
  assert.partialDeepStrictEqual((await first.answered).decision, { reason: 'approved' })
  const lost = await ask(CROSSING, { what: 'narrowing' })
  await assert.rejects(lost.answered, { code: 'fault.vault' })
  assert.deepEqual((await counted('crosser')).refused, [lost.ask])
  assert.partialDeepStrictEqual((await lost.again()).decision, { reason: 'partial.differencing' })
})

test('and so is one that takes too long', async () => {
  const ask = asker('laggard')
  await (
    await ask(ORDERED, { what: 'nothing' })
  ).answered
  const slow = await ask(CROSSING, { what: 'narrowing', how: 'because it takes too long' })
  assert.partialDeepStrictEqual((await slow.answered).decision, { reason: 'declined.timeout' })
  assert.deepEqual((await counted('laggard')).refused, [slow.ask])
})
