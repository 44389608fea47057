import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readGrants, readRevocations, readTerms } from '../../../src/cli/person/read-grants.ts'
import { temporaryHome } from '../run-cli.ts'

const WHOSE = { dataset: 'steps', person: 'p-1' }
const WHAT = { purpose: ['dpv:AcademicResearch'], mode: ['aggregate'] }

test('nobody gives to a word that means everybody, and a withdrawal by one is told what ends all', async (context) => {
  const file = join(await temporaryHome(context), 'grants.csv')
  for (const to of ['all', 'anybody', 'Everybody', '*']) {
    await assert.rejects(
      readGrants({ ...WHOSE, ...WHAT, to }),
      /Cannot grant to ".*": say "anyone" for every member/,
    )
    assert.throws(() => readTerms({ ...WHOSE, ...WHAT, to }), /Cannot grant to/)
    const says = /leave out --to for all grants of the person in the data set/
    await assert.rejects(readRevocations({ ...WHOSE, to }), says)
    await writeFile(file, `dataSet,person,grantee\nsteps,p-1,${to}\n`)
    await assert.rejects(readRevocations({ file }), says)
  }
})

test('withdrawals are read from flags, CSV and NDJSON; a member whose name is such a word has its grants withdrawn by NDJSON', async (context) => {
  const home = await temporaryHome(context)
  const whose = { dataSet: 'steps', person: 'p-1' }
  assert.deepEqual(await readRevocations(WHOSE), [whose])
  assert.deepEqual(await readRevocations({ ...WHOSE, to: 'northcare' }), [
    { ...whose, grantee: { member: 'northcare' } },
  ])
  assert.deepEqual(await readRevocations({ ...WHOSE, to: 'anyone' }), [
    { ...whose, grantee: { anyone: true } },
  ])
  const csv = join(home, 'some.csv')
  await writeFile(csv, 'dataSet,person,grantee\nsteps,p-1,class:insurer\nsteps,p-1,\n')
  assert.deepEqual(await readRevocations({ file: csv }), [{ ...whose, grantee: { class: 'insurer' } }, whose])
  const named = { ...whose, grantee: { member: 'all' } }
  const ndjson = join(home, 'some.ndjson')
  await writeFile(ndjson, `${JSON.stringify(named)}\n`)
  assert.deepEqual(await readRevocations({ file: ndjson }), [named])
})
