import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { tokenOf } from '../../../src/cli/person/person.ts'
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

test('a person’s token is looked at before it is sent: what is none is said, and no server is blamed', async (context) => {
  const file = join(await temporaryHome(context), 'my.token')
  const read = async (text: string, environment = {}) => {
    await writeFile(file, text)
    return tokenOf({ environment }, text === '' ? {} : { tokenFile: file })
  }
  assert.equal(await read('eyJh.eyJz.c2ln\n'), 'eyJh.eyJz.c2ln')
  assert.equal(await read('', { HEDGEROW_PERSON_TOKEN: ' eyJh.eyJz.c2ln ' }), 'eyJh.eyJz.c2ln')
  assert.equal(await read('', { HEDGEROW_PERSON_TOKEN: '' }), undefined)
  const isNone = (from: string) => ({
    name: 'Error',
    message: new RegExp(`^Cannot use ${from}: expected the token`),
  })
  for (const text of ['{"id":1}\n{"id":2}', 'Bearer eyJh.eyJz.c2ln', 'eyJh.eyJz', 'ä.ö.ü'])
    await assert.rejects(read(text), isNone(`"${file}"`), text)
  await assert.rejects(read('', { HEDGEROW_PERSON_TOKEN: 'no\nthing' }), isNone('HEDGEROW_PERSON_TOKEN'))
  for (const tokenFile of ['eyJh.eyJz.c2ln', 'Bearer eyJh.eyJz.c2ln', ' eyJh.cut'])
    await assert.rejects(tokenOf({ environment: {} }, { tokenFile }), {
      message: 'Cannot use --token-file: expected the name of a file, not what stands in it',
    })
})
