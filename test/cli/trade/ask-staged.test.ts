import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { NETWORK_API } from '../../../src/protocol/http/network-endpoints.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { typedHere } from '../typed-here.ts'
import type { CliRun } from '../run-cli.ts'

const ABOVE = 'select count(*) from athletes where height > (select avg(height) from athletes)'

suite('hedgerow ask --stages', () => {
  let trade: TestTrade
  let home: string
  const ask = (...args: readonly string[]): Promise<CliRun> =>
    typedHere(home, [
      'ask',
      '--as',
      'alder-care',
      '--network',
      trade.network.url,
      '--purpose',
      'dpv:AcademicResearch',
      '--mode',
      'aggregate',
      ...args,
    ])

  before(async () => {
    trade = await testTrade()
    await trade.fill(trade.site(), {
      dataSet: 'athletes',
      people: testPeople(120),
      manifest: { dimensionsMax: 2 },
    })
    home = await mkdtemp(join(tmpdir(), 'hedgerow-cli-'))
    await mkdir(join(home, 'sites'))
    await symlink(trade.network.root, join(home, 'network'))
    const made = await typedHere(home, ['member', 'keys', 'alder-care', '--country', 'IE'])
    const roles = { roles: ['acquirer' as const], acquirerClass: 'researcher' as const }
    const body = { id: 'alder-care', name: 'Alder Care', country: 'IE', ...roles, keys: JSON.parse(made.out) }
    await trade.network.call(trade.network.operator, NETWORK_API.addMember, { body })
    const keys = { signing: trade.site().signing, sealing: trade.site().signing }
    await trade.network.deposit({ name: 'alder-care', ...keys }, 50_000)
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })

  test('is what a decline without it points to', async () => {
    const declined = await ask('--sql', ABOVE)
    assert.equal(declined.code, 1)
    assert.match(declined.out, /ask it first and write its answer out, as asking in stages does/)
    assert.match(declined.out, /can be asked in 2 asks, each with its own price: add --stages/)
    const syntax = await ask('--sql', 'select count(* from athletes')
    assert.doesNotMatch(syntax.out, /--stages/)
  })

  test('shows with --dry-run the stages, what each costs and the highest total', async () => {
    const { code, out } = await ask('--sql', ABOVE, '--stages', '--dry-run')
    assert.equal(code, 0, out)
    assert.match(out, /galway, stage 1 of 1, at most 10\.00 EUR\nselect avg\(height\) from athletes\n/)
    assert.match(out, /galway +approved +approved +≥ 100 .* EUR/)
    assert.match(
      out,
      /the question, at most 10\.00 EUR\nselect .* \(‹answer of stage 1›\)\nwaits for an answer/,
    )
    assert.match(out, /2 asks at one site: at most 20\.00 EUR over all; a dry run/)
  })

  test('asks one after another, shows each answer and what was paid, and keeps the receipts of all', async () => {
    const { code, out } = await ask('--sql', ABOVE, '--stages')
    assert.equal(code, 0, out)
    assert.match(out, /where height > \('1\.\d+'::float8\)/)
    assert.match(out, /2 asks at one site: \d\.\d\d EUR of at most 20\.00 EUR/)
    const ids = [...new Set(out.match(/ask_[0-9A-Z]{26}/g))]
    assert.equal(ids.length, 2)
    const kept = await readdir(join(home, 'members', 'alder-care', 'receipts'))
    for (const id of ids)
      assert.ok(
        kept.some((name) => name.includes(id)),
        kept.join(),
      )
  })

  test('gives the same as JSON', async () => {
    const { code, out } = await ask('--sql', ABOVE, '--stages', '--json', '--max-price', '9.00EUR')
    assert.equal(code, 0, out)
    const { sites, highest, paid } = JSON.parse(out)
    assert.deepEqual(highest, { amount: 2_000, currency: 'EUR' })
    assert.ok(paid.amount > 0 && paid.amount <= 900)
    assert.deepEqual(
      sites[0].asks.map((one: { stage?: number; result: { status: string } }) => [
        one.stage,
        one.result.status,
      ]),
      [
        [1, 'answered'],
        [undefined, 'answered'],
      ],
    )
  })

  test('says what stands in the way, and asks nothing', async () => {
    const groups = 'select country from athletes group by country'
    const turned = await ask(
      '--sql',
      `select count(*) from athletes where country not in (${groups})`,
      '--stages',
    )
    assert.equal(turned.code, 1)
    assert.match(turned.out, /Cannot ask in stages: .* under NOT/)
    assert.match(turned.out, /\n +\^/)
    const poor = await ask('--sql', ABOVE, '--stages', '--max-price', '1.50EUR')
    assert.equal(poor.code, 1)
    assert.match(poor.out, /least price of 2 asks at 1 site is 2\.00 EUR/)
    const later = await ask('--sql', ABOVE.replace('avg(height)', 'avg(height) + 1'), '--stages')
    assert.equal(later.code, 1)
    assert.match(later.out, /declined\.group_too_small/)
    const early = await ask('--sql', ABOVE.replace(/\)$/, ' where score = 13)'), '--stages')
    assert.equal(early.code, 1)
    assert.match(early.out, /galway: stage 1 was declined: .*The rest was not asked/)
    const none = await ask('--sql', ABOVE, '--stages', '--within', 'DE')
    assert.equal(none.code, 1)
    assert.match(none.out, /No site offers this/)
    const wrong = await ask('--function', `sha-256:${'a'.repeat(43)}`, '--offer', 'athletes', '--stages')
    assert.equal(wrong.code, 2)
  })
})
