import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { instant } from '../../src/kernel/clock.ts'
import { saveEntry } from '../../src/site/backup/safe.ts'
import { siteDirectory } from '../../src/site/config.ts'
import { examineSite } from '../../src/site/doctor.ts'
import type { DoctorQuestions, Examination, Finding } from '../../src/site/examination.ts'
import { initSite } from '../../src/site/init-site.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

const NOW = Date.UTC(2026, 10, 24, 10)
const DAY_MS = 86_400_000

/** A site as it should be: everything answers, and all is well. */
async function healthySite(context: TestContext): Promise<Examination> {
  const root = await mkdtemp(join(tmpdir(), 'hedgerow-doctor-'))
  context.after(() => rm(root, { recursive: true, force: true }))
  const { settings } = await initSite(root, {
    site: 'galway',
    custodian: 'edge',
    territory: 'IE',
    networkUrl: 'http://127.0.0.1:7400',
  })
  const oidc = {
    issuer: 'https://id.example',
    audience: 'galway',
    personClaim: 'sub',
    otherClaims: {},
    member: settings.custodian,
  }
  return {
    directory: siteDirectory(root),
    settings: { ...settings, oidc },
    environment: {},
    clock: new ManualClock(NOW),
    questions: {
      evidence: () => Promise.resolve({ state: 'valid', territory: 'IE', validUntil: NOW + 60 * DAY_MS }),
      readiness: () => Promise.resolve({ isReady: true, checks: { database: true } }),
      networkTime: () => Promise.resolve(NOW + 1_000),
      isRegistered: () => Promise.resolve(true),
      dataSets: () => Promise.resolve([{ dataSet: 'athletes', store: true, process: true }]),
      missingContracts: () => Promise.resolve([]),
      missingAssessments: () => Promise.resolve([]),
      missingBases: () => Promise.resolve([]),
    },
  }
}

function found(findings: readonly Finding[], check: string): readonly Finding[] {
  return findings.filter((finding) => finding.check === check)
}

function asking(examination: Examination, questions: Partial<DoctorQuestions>): Examination {
  return { ...examination, questions: { ...examination.questions, ...questions } }
}

test('examineSite() finds nothing bad at a site as it should be, and every finding that is not good has a remedy', async (context) => {
  const findings = await examineSite(await healthySite(context))
  assert.deepEqual(
    findings.filter(({ state }) => state === 'bad'),
    [],
  )
  assert.ok(findings.length >= 10)
  for (const { state, remedy, says } of findings) assert.ok(state === 'good' || remedy !== undefined, says)
})

test('examineSite() finds keys that others may read or that are missing', async (context) => {
  const examination = await healthySite(context)
  await chmod(join(examination.directory.keys, 'signing.jwk'), 0o640)
  await rm(join(examination.directory.keys, 'master.key'))
  const findings = found(await examineSite(examination), 'keys')
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['bad', 'bad'],
  )
  assert.match(findings[0]?.says ?? '', /others may read ".*signing\.jwk"/)
  assert.match(findings[0]?.remedy ?? '', /chmod 600/)
  assert.match(findings[1]?.says ?? '', /master\.key" is missing/)
})

test('examineSite() warns of keys that were not replaced for long, on one side of 400 days and not on the other', async (context) => {
  const examination = await healthySite(context)
  const made = async (name: string, days: number) => {
    const time = new Date(NOW - days * DAY_MS)
    await utimes(join(examination.directory.keys, name), time, time)
  }
  await made('signing.jwk', 399)
  await made('operator.jwk', 401)
  const findings = found(await examineSite(examination), 'key age')
  assert.deepEqual(
    findings.map(({ state, remedy }) => [state, remedy]),
    [['warning', 'Replace it with "hedgerow site rotate-operator-key"']],
  )
})

test('examineSite() judges evidence by state, end and territory', async (context) => {
  const examination = await healthySite(context)
  const cases: readonly [Awaited<ReturnType<DoctorQuestions['evidence']>>, Finding['state']][] = [
    [{ state: 'valid', territory: 'IE', validUntil: NOW + 15 * DAY_MS }, 'good'],
    [{ state: 'valid', territory: 'IE', validUntil: NOW + 13 * DAY_MS }, 'warning'],
    [{ state: 'expired', territory: 'IE', validUntil: NOW - 1 }, 'bad'],
    [{ state: 'missing' }, 'bad'],
    [{ state: 'valid', territory: 'DE', validUntil: NOW + 60 * DAY_MS }, 'bad'],
    [undefined, 'unknown'],
  ]
  for (const [evidence, state] of cases) {
    const findings = await examineSite(asking(examination, { evidence: () => Promise.resolve(evidence) }))
    assert.equal(found(findings, 'evidence')[0]?.state, state)
  }
})

test('examineSite() finds a clock that is too far from the network’s', async (context) => {
  const examination = await healthySite(context)
  const cases: readonly [number | undefined, Finding['state']][] = [
    [NOW + 29_000, 'good'],
    [NOW - 31_000, 'bad'],
    [NOW + 3_600_000, 'bad'],
    [undefined, 'unknown'],
  ]
  for (const [time, state] of cases) {
    const findings = await examineSite(asking(examination, { networkTime: () => Promise.resolve(time) }))
    assert.equal(found(findings, 'clock')[0]?.state, state)
  }
})

test('examineSite() says that the network does not know the site, or that nobody can tell', async (context) => {
  const site = await healthySite(context)
  for (const [answer, state] of [
    [true, 'good'],
    [false, 'bad'],
    [undefined, 'unknown'],
  ] as const) {
    const [registration] = found(
      await examineSite(asking(site, { isRegistered: () => Promise.resolve(answer) })),
      'registration',
    )
    assert.equal(registration?.state, state)
    if (state === 'bad') assert.match(registration.remedy ?? '', /network add-site galway --country IE/)
  }
})

test('examineSite() names data sets whose perimeter the site is not in', async (context) => {
  const dataSets = () =>
    Promise.resolve([
      { dataSet: 'athletes', store: true, process: false },
      { dataSet: 'players', store: false, process: false },
    ])
  const findings = found(await examineSite(asking(await healthySite(context), { dataSets })), 'perimeters')
  assert.match(findings[0]?.says ?? '', /"athletes" may not be processed/)
  assert.match(findings[1]?.says ?? '', /"players" may not be stored/)
})

test('examineSite() names data sets that are declined for want of a contract, each with the command for it', async (context) => {
  const site = await healthySite(context)
  const lack = { dataSet: 'athletes', controller: 'federation', contract: 'contract_1' }
  const contracts = async (answer: Awaited<ReturnType<DoctorQuestions['missingContracts']>>) =>
    found(await examineSite(asking(site, { missingContracts: () => Promise.resolve(answer) })), 'contracts')
  const cases = [
    [
      'contract',
      /^no contract with "federation".*"athletes"/,
      /contract record .*--site galway --as federation$/,
    ],
    [
      'confirmation',
      /^"federation" has not confirmed/,
      /contract confirm contract_1 --site galway --as federation$/,
    ],
    ['return', /^the contract .* has ended/, /contract list --site galway"/],
    ['deletion', /^the contract .* has ended/, /contract list --site galway"/],
  ] as const
  for (const [needs, says, remedy] of cases) {
    const [finding] = await contracts([{ ...lack, needs }])
    assert.equal(finding?.state, 'bad', needs)
    assert.match(finding.says, says)
    assert.match(finding.says, /every ask for it is declined$/)
    assert.match(finding.remedy ?? '', remedy)
  }
  assert.deepEqual(
    (await contracts(cases.map(([needs], index) => ({ ...lack, needs, dataSet: `d${index}` })))).length,
    cases.length,
  )
  assert.deepEqual(
    (await contracts([])).map(({ state }) => state),
    ['good'],
  )
  assert.deepEqual(
    (await contracts(undefined)).map(({ state }) => state),
    ['unknown'],
  )
})

test('examineSite() names once each data set of which purposes of high risk have no assessment', async (context) => {
  const site = await healthySite(context)
  const reason = 'special categories of 5,000 people or more'
  const missingAssessments = () =>
    Promise.resolve([
      { dataSet: 'athletes', purpose: 'dpv:AcademicResearch', reason },
      { dataSet: 'players', purpose: 'dpv:AcademicResearch', reason },
      { dataSet: 'athletes', purpose: 'dpv:Personalisation', reason },
    ])
  const findings = found(await examineSite(asking(site, { missingAssessments })), 'assessments')
  assert.deepEqual(
    findings.map(({ state }) => state),
    ['bad', 'bad'],
  )
  assert.match(findings[0]?.says ?? '', /"athletes".*for Academic Research, Personalisation: .*5,000 people/)
  assert.match(findings[0]?.remedy ?? '', /officer assessment attach --file DPIA\.yaml --site galway$/)
  assert.match(findings[1]?.says ?? '', /"players"/)
})

test('examineSite() names a legal basis that rests on no record, once for all of its purposes', async (context) => {
  const site = await healthySite(context)
  const lack = { dataSet: 'athletes', needs: 'legitimate_interest', for: 'every use' }
  const missingBases = () =>
    Promise.resolve([
      { ...lack, purpose: 'dpv:AcademicResearch' },
      { ...lack, purpose: 'dpv:Personalisation' },
    ])
  const [finding, ...others] = found(await examineSite(asking(site, { missingBases })), 'bases')
  assert.deepEqual(others, [])
  assert.equal(finding?.state, 'bad')
  assert.match(finding.says, /"legitimate interest".*"athletes" for Academic Research, Personalisation/)
  assert.match(finding.remedy ?? '', /officer basis record --file BASIS\.yaml --site galway$/)
})

test('examineSite() finds insecure settings, an open door and a line without TLS', async (context) => {
  const examination = await healthySite(context)
  const settings = {
    ...examination.settings,
    host: '0.0.0.0',
    network: { url: 'http://network.example', name: 'network' },
    oidc: undefined,
  }
  await writeFile(examination.directory.config, 'INSECURE_NO_EVIDENCE: yes\n')
  const findings = await examineSite({
    ...examination,
    settings,
    environment: { HEDGEROW_INSECURE_LOG: 'yes' },
  })
  assert.deepEqual(
    found(findings, 'settings').map(({ says }) => says),
    [
      '"HEDGEROW_INSECURE_LOG" is set',
      '"INSECURE_NO_EVIDENCE" is set',
      'the door listens on 0.0.0.0, not only on this machine',
      'the line to the network is not encrypted by TLS',
    ],
  )
  assert.equal(found(findings, 'sign-in of people')[0]?.state, 'warning')
})

test('examineSite() says what a site that does not answer, or is not ready, lacks', async (context) => {
  const examination = await healthySite(context)
  const silent = await examineSite(asking(examination, { readiness: () => Promise.resolve(undefined) }))
  assert.match(found(silent, 'service')[0]?.remedy ?? '', /hedgerow site serve/)
  const readiness = () => Promise.resolve({ isReady: false, checks: { database: false, line: true } })
  const unready = await examineSite(asking(examination, { readiness }))
  assert.deepEqual(
    found(unready, 'service').map(({ says }) => says),
    ['not ready: database'],
  )
})

test('examineSite() warns of backups that are missing, old, or on the disk of the site', async (context) => {
  const examination = await healthySite(context)
  const says = async () => found(await examineSite(examination), 'backups').map((finding) => finding.says)
  assert.match((await says()).join('; '), /no backup that can be read; .*disk of the site.*the safe lies on/)
  const safe = { directory: join(examination.directory.root, 'safe') }
  await mkdir(join(safe.directory, 'backups'), { recursive: true })
  const entry = {
    backup: 'backup_01J00000000000000000000000',
    site: examination.settings.site,
    state: 'whole' as const,
    directory: join(examination.directory.root, 'backups'),
    begunAt: instant(NOW - 3 * DAY_MS),
    expiresAt: instant(NOW + 27 * DAY_MS),
  }
  await saveEntry(safe, entry)
  assert.match((await says()).join('; '), /^the newest backup is 3 days old/)
  await saveEntry(safe, { ...entry, begunAt: instant(NOW - DAY_MS) })
  assert.match(
    (await says()).join('; '),
    /^the newest backup is not where it was written \("[^"]+\/backup_01J0+"\)/,
  )
  await mkdir(join(entry.directory, entry.backup), { recursive: true })
  assert.doesNotMatch((await says()).join('; '), /newest backup|no backup/)
  await saveEntry(safe, { ...entry, expiresAt: instant(NOW) })
  assert.match((await says()).join('; '), /^there is no backup that can be read/)
})
