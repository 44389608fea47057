import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { stringify } from 'yaml'
import { openOfficer } from '../../../src/sdk/officer.ts'
import type { WireBasis } from '../../../src/sdk/officer.ts'
import { testManifest } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { runCli } from '../run-cli.ts'

const PURPOSE = 'dpv:ResearchAndDevelopment'

interface Applied {
  readonly items: readonly {
    readonly action: string
    readonly reference: string
    readonly assessment?: string
    readonly changes: readonly string[]
    readonly ends: readonly string[]
    readonly waits: readonly string[]
  }[]
}

suite('hedgerow officer assessment plan and apply', () => {
  let home: string
  let folder: string
  let trade: TestTrade
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-assessments-'))
    folder = join(home, 'assessments')
    await mkdir(folder)
    trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
    await trade.site().issuer.describe(testManifest('shifts', { legalBasis: 'eu-gdpr:A6-1-f' }))
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  const typed = async (...args: readonly string[]): Promise<Applied> => {
    const run = await runCli(home, ['officer', 'assessment', ...args, '--url', trade.site().url, '--json'])
    assert.equal(run.code, 0, run.error)
    return JSON.parse(run.out) as Applied
  }
  const seat = () => {
    const site = trade.site()
    return openOfficer(site.client({ issuer: 'operator', key: site.operatorKey }))
  }
  const write = (name: string, more: object = {}) =>
    writeFile(
      join(folder, name),
      stringify({
        dataSet: 'shifts',
        purpose: PURPOSE,
        kind: 'dpia',
        reference: 'DPIA-7',
        approvedBy: 'Orla Byrne',
        approvedOn: '2026-01-15',
        reviewBy: '2036-01-15',
        ...more,
      }),
    )
  const lia = (because: string, result = 'interest_prevails') =>
    write('lia.yaml', { kind: 'lia', reference: 'LIA-7', balancing: { result, because } })
  const attached = async () =>
    (await seat().assessments()).items
      .filter(({ state }) => state !== 'withdrawn')
      .map(({ reference }) => reference)

  test('a plan changes nothing, what is applied is attached, and the same again does nothing', async () => {
    await write('dpia.yaml')
    await lia('groups only')
    const planned = await typed('plan', folder)
    assert.deepEqual(
      planned.items.map(({ action, reference }) => [action, reference]),
      [
        ['add', 'DPIA-7'],
        ['add', 'LIA-7'],
      ],
    )
    assert.deepEqual(await attached(), [])
    await typed('apply', folder)
    assert.deepEqual((await attached()).toSorted(), ['DPIA-7', 'LIA-7'])
    assert.ok((await typed('apply', folder)).items.every(({ action }) => action === 'none'))
  })

  test('a changed one takes the place of the one before; bases go over to it before that is withdrawn', async () => {
    const [old] = (await seat().assessments()).items.filter(({ kind }) => kind === 'lia')
    const basis: WireBasis = {
      kind: 'legitimate_interest',
      dataSets: ['shifts'],
      purposes: [PURPOSE],
      reference: 'LI-7',
      interest: 'Safe staffing',
      assessment: 'LIA-7',
      objectTo: 'dpo@federation.example',
      validUntil: '2036-01-01T00:00:00Z',
      people: 'everybody',
    }
    const rests = async () =>
      (await seat().bases()).items.flatMap((one) =>
        one.kind === 'legitimate_interest' && one.state === 'in_force' ? [one.assessment] : [],
      )
    await seat().declareBases({ declared: [basis] })
    assert.deepEqual(await rests(), [old?.assessment])
    await lia('groups only, and everybody may object')
    const [, changed] = (await typed('apply', folder)).items
    assert.equal(changed?.action, 'change')
    assert.deepEqual(changed.waits, [old?.assessment])
    assert.deepEqual(await rests(), [old?.assessment], 'there is no gap')
    await seat().declareBases({ declared: [basis] })
    assert.deepEqual(await rests(), [changed.assessment])
    assert.deepEqual((await typed('apply', folder)).items[1]?.ends, [old?.assessment])
    assert.ok((await typed('apply', folder)).items.every(({ action }) => action === 'none'))
  })

  test('where the interest prevails no longer nothing waits, and what is in no file ends only when asked', async () => {
    await lia('they are watched', 'people_prevail')
    const [, changed] = (await typed('apply', folder)).items
    assert.deepEqual(changed?.waits, [])
    assert.deepEqual(
      (await seat().bases()).items.filter(({ state }) => state === 'in_force'),
      [],
    )
    await rm(join(folder, 'dpia.yaml'))
    await typed('apply', folder)
    assert.deepEqual((await attached()).toSorted(), ['DPIA-7', 'LIA-7'])
    const ended = await typed('apply', folder, '--end-others')
    assert.deepEqual(ended.items.map(({ action }) => action).toSorted(), ['end', 'none'])
    assert.deepEqual(await attached(), ['LIA-7'])
  })
})
