import assert from 'node:assert/strict'
import { cp, readFile, rename, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { digestOf } from '../../src/kernel/digest.ts'
import { silentLog } from '../../src/kernel/log.ts'
import { systemRandom } from '../../src/kernel/random.ts'
import { releaseSchema } from '../../src/protocol/release.ts'
import { dataSetIdSchema, memberIdSchema } from '../../src/protocol/wire.ts'
import { makeBackup } from '../../src/site/backup/make-backup.ts'
import { peoplePath } from '../../src/site/backup/safe.ts'
import { objectTo } from '../../src/site/consent/change-objections.ts'
import { pseudonymOf } from '../../src/site/guard/pseudonym.ts'
import { masterFiles, readMasterKey, rotationUnderWay } from '../../src/site/master-key.ts'
import { guardianshipsBy, insertGuardianship } from '../../src/site/principals/guardianship-store.ts'
import { findKeptAnswer, keepPrivateAnswer } from '../../src/site/privacy/private-answers.ts'
import { finishMasterRotation, rotateMasterKey } from '../../src/site/rotate-master-key.ts'
import type { MasterRotation, MasterRotationStep } from '../../src/site/rotate-master-key.ts'
import { lookupDigest } from '../../src/site/vault/keys/lookup-digest.ts'
import { openCell } from '../../src/site/vault/keys/person-keys.ts'
import { filesOf, postgresDirectory } from '../../src/testing/files-of.ts'
import { plainMarkerSearch } from '../../src/testing/find-markers.ts'
import { ShiftedClock, eraseByKey, testRestore } from '../../src/testing/test-backup.ts'
import { testPeople } from '../../src/testing/test-population.ts'
import { bareSite } from '../../src/testing/test-site.ts'
import type { BareSite } from '../../src/testing/test-site.ts'

const athletes = dataSetIdSchema.parse('athletes')
const federation = memberIdSchema.parse('federation')
const MARKER = 'zqrotate7gone'
const clock = new ShiftedClock()
const STEPS = ['made', 'keys', 'record', 'vault', 'swapped', 'purged', 'noted', 'ended'] as const

let bare: BareSite
before(async () => {
  bare = await bareSite(clock)
  await bare.fill({ dataSet: 'athletes', people: testPeople(40) })
  const { site } = bare
  const child = await bare.numberOf('p-5')
  await site.db.transaction().execute(async (tx) => {
    await insertGuardianship(tx, {
      guardianship: 'guardianship_one',
      person: child,
      issuer: federation,
      guardian: lookupDigest(site.keys.lookup, { issuer: federation, personKey: 'p-6' }),
      personName: Buffer.from('sealed'),
      authority: 'sole',
      document: digestOf('a document'),
      from: clock.now(),
      establishedAt: clock.now(),
      establishedBy: 'issuer:federation',
    })
    await keepPrivateAnswer(
      tx,
      { ...ANSWER, ask: 'ask_one', answer: { release: RELEASE, noisyPeople: 31 }, now: clock.now() },
      { key: site.keys.answers, random: systemRandom },
    )
  })
})
after(() => bare[Symbol.asyncDispose]())

const ANSWER = { acquirer: 'lab', question: 'sha-256:one' }
const RELEASE = releaseSchema.parse({
  ask: 'ask_one',
  site: 'galway',
  dataSet: 'athletes',
  mode: 'private',
  columns: [],
  rows: [],
})

const rotation = (more: Partial<MasterRotation> = {}): MasterRotation => ({
  root: bare.root,
  settings: bare.settings,
  log: silentLog,
  clock,
  random: systemRandom,
  ...more,
})
const files = () => masterFiles(join(bare.root, 'keys'))

/** What a person's key opens, how everybody is found, and by which names acquirers know them. */
async function everything() {
  const { site } = bare
  const people = await Promise.all(['p-0', 'p-5', 'p-39'].map((key) => bare.numberOf(key)))
  const keys = await site.personKeys.keysOf(site.db, people)
  const sealed = await site.vault.listSealedKeysOf(athletes, people)
  const place = { dataSet: 'athletes', column: 'id' }
  const guarded = await guardianshipsBy(site.db, [
    lookupDigest(site.keys.lookup, { issuer: federation, personKey: 'p-6' }),
  ])
  return {
    people,
    opened: people.map((person) => {
      const [key, text] = [keys.get(person), sealed.get(person)]
      return key && text && openCell(text, { key, place })
    }),
    guarded: guarded.map(({ guardianship }) => guardianship),
    kept: (await findKeptAnswer(site.db, ANSWER, site.keys.answers))?.noisyPeople,
    subject: await site.personKeys.subjectOf(site.db, { person: people[0] ?? -1, text: 'x' }),
    pseudonym: pseudonymOf(people[0] ?? -1, {
      key: site.keys.pseudonym,
      acquirer: memberIdSchema.parse('lab'),
      purpose: 'dpv:AcademicResearch',
      dataSet: athletes,
    }),
  }
}

/** What only the old key gives a meaning to: nothing of it may be left. */
async function underTheKey(): Promise<readonly Buffer[]> {
  const { rows } = await sql<{ wrapped: Buffer }>`select wrapped from person_key order by person`.execute(
    bare.site.db,
  )
  const lookups = ['p-0', 'p-6'].map((personKey) =>
    Buffer.from(lookupDigest(bare.site.keys.lookup, { issuer: federation, personKey })),
  )
  const { rows: answers } = await sql<{ release: Buffer }>`select release from private_answer`.execute(
    bare.site.db,
  )
  const text = (await readFile(files().present, 'utf8')).trim()
  return [
    ...rows.flatMap(({ wrapped }) => [wrapped, Buffer.from(wrapped.toString('hex'))]),
    ...lookups.flatMap((lookup) => [lookup, Buffer.from(lookup.toString('hex'))]),
    ...answers.map(({ release }) => release),
    ...(text.startsWith('{') ? [] : [Buffer.from(text)]),
  ]
}

async function rotations(): Promise<readonly string[]> {
  const found = await bare.site.log.list({ after: -1, limit: 1_000, kind: 'rotation' })
  return found.map(({ jws }) => Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
}

test('everything is there after it, nothing that was under the old key is in any file, and the receipt holds no secret', async () => {
  const [was, secrets] = [await everything(), await underTheKey()]
  assert.deepEqual(was.opened, ['p-0', 'p-5', 'p-39'])
  assert.deepEqual([was.guarded, was.kept], [['guardianship_one'], 31])
  const leftIn = async () => {
    const bytes = [...(await filesOf(bare.root)), ...(await filesOf(await postgresDirectory()))]
    return secrets.filter((secret) => bytes.some((file) => file.includes(secret))).length
  }
  let leftBefore = 0
  await bare.reopen(async () => {
    leftBefore = await leftIn()
    const { keys, isRewritten, isLogRecycled } = await rotateMasterKey(rotation())
    assert.deepEqual([keys, isRewritten, isLogRecycled], [40, true, true])
    assert.equal(await leftIn(), 0)
  })
  assert.ok(leftBefore > 40, 'what is looked for was there')
  assert.deepEqual(await everything(), was)
  assert.equal((await stat(files().present)).mode & 0o777, 0o600)
  assert.equal(await rotationUnderWay(files()), undefined)
  const [receipt, ...others] = await rotations()
  assert.deepEqual(others, [])
  const { kind, rotated, ...rest } = JSON.parse(receipt ?? '{}') as Record<string, unknown>
  assert.deepEqual([kind, rotated], ['rotation', 'master'])
  assert.deepEqual(Object.keys(rest).toSorted(), ['sequence', 'site', 'time'])
})

test('a person who comes after it is a new one, who came before is the same, and it may be done again', async () => {
  const was = await everything()
  await bare.fill({
    dataSet: 'athletes',
    people: testPeople(2, (_, index) => ({ id: index === 0 ? 'p-0' : 'p-new' })),
    batch: 'second',
    hasGrants: false,
  })
  assert.equal(await bare.numberOf('p-0'), was.people[0])
  assert.equal(await bare.numberOf('p-new'), 40)
  await bare.reopen(async () => {
    await rotateMasterKey(rotation())
  })
  assert.deepEqual(await everything(), was)
  assert.equal(await bare.numberOf('p-new'), 40)
  assert.equal((await rotations()).length, 2)
})

for (const step of STEPS) {
  test(`cut off at the step "${step}" it goes on with the start of the site, and is one rotation`, async () => {
    const [was, before] = [await everything(), (await rotations()).length]
    const old = (await readMasterKey(files().present)).id
    await bare.reopen(() => cutOff(step))
    assert.deepEqual(await everything(), was)
    assert.notEqual((await readMasterKey(files().present)).id, old)
    assert.equal(await rotationUnderWay(files()), undefined)
    assert.equal((await rotations()).length, before + 1)
  })
}

test('cut off at every step, again and again, the command ends it as well', async () => {
  const [was, before] = [await everything(), (await rotations()).length]
  await bare.reopen(async () => {
    for (const step of STEPS.slice(0, -1)) await cutOff(step)
    await rotateMasterKey(rotation())
    assert.equal(await finishMasterRotation(rotation()), false)
  })
  assert.deepEqual(await everything(), was)
  assert.equal((await rotations()).length, before + 1)
})

async function cutOff(at: MasterRotationStep): Promise<void> {
  const onStep = (step: MasterRotationStep) => {
    if (step === at) throw new Error('cut off')
  }
  await assert.rejects(rotateMasterKey(rotation({ onStep })), /cut off/)
}

test('with another site’s master key in the place of its own nothing is begun', async () => {
  const { present, next } = files()
  await bare.reopen(async () => {
    await rename(present, `${present}.own`)
    await writeFile(
      present,
      systemRandom.bytes(32).length === 32 ? Buffer.alloc(32, 7).toString('base64url') : '',
      {
        mode: 0o600,
      },
    )
    await assert.rejects(rotateMasterKey(rotation()), { code: 'fault.key_malformed' })
    await assert.rejects(readFile(next), { code: 'ENOENT' })
    await rename(`${present}.own`, present)
  })
  assert.deepEqual((await everything()).opened, ['p-0', 'p-5', 'p-39'])
})

test('a backup from before it brings back nobody who was erased since and forgets no objection, by marks alone', async () => {
  const { site } = bare
  await bare.fill({
    dataSet: 'athletes',
    people: testPeople(1, () => ({ id: MARKER, name: `${MARKER} name`, country: `${MARKER}-plain` })),
    batch: 'marked',
    hasGrants: false,
  })
  const entry = await makeBackup(site)
  const path = peoplePath(site.backups.safe, entry.backup)
  await cp(path, join(bare.root, 'people-before'))
  const erased = await eraseByKey(bare, MARKER)
  const objector = await bare.numberOf('p-9')
  await bare.reopen(async () => {
    await rotateMasterKey(rotation())
  })
  await objectTo(bare.site.consent, { people: [objector], purpose: 'dpv:Marketing' }, { by: 'person' })
  await bare.site.log.publish()
  await bare.site.archiver.follow()
  // As if the safe's file of keys were a copy from before the erasure: only the list says who is gone.
  await cp(join(bare.root, 'people-before'), path)
  await using place = await testRestore(bare, entry)
  const find = plainMarkerSearch([MARKER])
  let isThere = false
  const restored = await place.restore({
    onStep: async (step) => {
      if (step !== 'vault') return
      isThere = (await filesOf(join(place.into, '..'))).some((bytes) => find(bytes).length > 0)
    },
  })
  assert.ok(isThere, 'the backup did hold the person')
  assert.deepEqual([restored.erasures, restored.objections], [1, 1])
  assert.equal(restored.receiptsAfter['rotation'], 1)
  const left = (await filesOf(place.into)).flatMap((bytes) => find(bytes))
  assert.deepEqual(left, [])
  const again = await place.open()
  assert.equal((await again.vault.people(athletes)).has(erased.person ?? -1), false)
  assert.ok(again.mirror.objectors(athletes, 'dpv:Marketing').has(objector))
  assert.ok(await again.personKeys.keyOf(again.db, objector))
})

test('a backup from after it is restored with the key that it replaced nowhere', async () => {
  const entry = await makeBackup(bare.site)
  await using place = await testRestore(bare, entry)
  await place.restore()
  const again = await place.open()
  const lookup = lookupDigest(again.keys.lookup, { issuer: federation, personKey: 'p-3' })
  assert.deepEqual([...(await again.vault.findPeople([lookup]))], [await bare.numberOf('p-3')])
  assert.ok(await again.personKeys.keyOf(again.db, await bare.numberOf('p-3')))
})
