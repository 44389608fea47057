import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { parseWith } from '../../../src/kernel/parse.ts'
import { parseYaml } from '../../../src/kernel/yaml.ts'
import { basisRequestSchema } from '../../../src/protocol/law/basis-record.ts'
import { assessmentRequestSchema } from '../../../src/protocol/http/officer-api.ts'
import { testPeople } from '../../../src/testing/test-population.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import type { TestTrade } from '../../../src/testing/test-trade.ts'
import { ROOT } from '../../docs/pages.ts'
import { typedHere } from '../typed-here.ts'

/** The files that the guide shows, by name. */
async function shownFiles(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(join(ROOT, 'docs', 'how-to', 'record-a-legal-basis.md'), 'utf8')
  const blocks = text.matchAll(/```yaml\n# ([a-z]+\.yaml)\n([\s\S]*?)```/g)
  return new Map([...blocks].map(([, name = '', body = '']) => [name, body]))
}

test('every file that the guide shows is what the verb takes', async () => {
  const files = await shownFiles()
  assert.deepEqual([...files.keys()], ['permit.yaml', 'contract.yaml', 'lia.yaml', 'employment.yaml'])
  for (const [name, body] of files) {
    const read = parseYaml(body)
    assert.ok(read.ok, name)
    const schema = name === 'lia.yaml' ? assessmentRequestSchema : basisRequestSchema
    const parsed = parseWith(schema, read.value)
    assert.ok(parsed.ok, `${name}: ${JSON.stringify(parsed)}`)
  }
})

suite('hedgerow officer basis', () => {
  let home: string
  let trade: TestTrade
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'hedgerow-basis-'))
    trade = await testTrade({ sites: [{ name: 'galway', root: join(home, 'sites', 'galway') }] })
    const manifest = { legalBasis: 'eu-gdpr:A6-1-e', purposes: ['dpv:AcademicResearch'] }
    await trade.fill(trade.site(), { dataSet: 'registry', people: testPeople(20), manifest, grants: [] })
  })
  after(async () => {
    await trade[Symbol.asyncDispose]()
    await rm(home, { recursive: true, force: true })
  })
  const typed = (...args: readonly string[]) =>
    typedHere(home, ['officer', 'basis', ...args, '--url', trade.site().url])

  test('says what is missing with exit code 1, records it, lists it, ends it', async () => {
    const missing = await typed('list')
    assert.equal(missing.code, 1)
    assert.match(missing.out, /Nothing is recorded\nMissing: permit of registry for Academic Research/)

    const file = join(home, 'permit.yaml')
    await writeFile(file, (await shownFiles()).get('permit.yaml') ?? '')
    const recorded = await typed('record', '--file', file, '--json')
    assert.equal(recorded.code, 0, recorded.error)
    const { basis, state } = JSON.parse(recorded.out) as { basis: string; state: string }
    assert.equal(state, 'in_force')

    const listed = await typed('list')
    assert.equal(listed.code, 0)
    assert.match(listed.out, /permit +Health Data +registry .*\n +Access Body, /)

    const university = await trade.addAcquirer('university')
    const asked = { offer: 'registry', legalBasis: 'eu-gdpr:A6-1-e' }
    const { sites } = await university.ask('select count(*) from registry', asked)
    assert.equal(sites[0]?.reason, 'approved')
    const person = (what: string) =>
      typedHere(home, [
        'person',
        what,
        '--person',
        'p-1',
        '--issuer',
        'federation',
        '--reason',
        'she asked',
        '--url',
        trade.site().url,
      ])
    // A narrow column holds it on several lines.
    assert.match((await person('uses')).out, /\(GDPR[\s\S]*6\(1\)\(e\)\);[\s\S]*HDAB-2026-0117/)
    const covering = await person('bases')
    assert.match(covering.out, /HDAB-2026-0117[\s\S]*Object to a purpose with/)

    const ended = await typed('end', basis, '--reason', 'the permit was withdrawn')
    assert.equal(ended.out, `${basis} is ended\n`)
    assert.equal((await typed('list')).code, 1)
  })

  test('a wrong file names its fields and changes nothing; nobody named is wrong use', async () => {
    const file = join(home, 'wrong.yaml')
    await writeFile(file, 'kind: permit\ndataSets: [registry]\n')
    const wrong = await typed('record', '--file', file)
    assert.equal(wrong.code, 2)
    assert.match(wrong.error, /purposes: .*; .*authority: expected the authority/)
    assert.equal((await typed('people', 'basis_1')).code, 2)
    assert.equal((await typed('end', 'basis_1', '--reason', 'x')).code, 1)
  })

  test('plans and applies a directory of records, and does nothing the second time', async () => {
    const directory = join(home, 'bases')
    await mkdir(directory)
    const permit = (await shownFiles()).get('permit.yaml') ?? ''
    await writeFile(join(directory, 'permit.yaml'), permit)
    const planned = await typed('plan', directory)
    assert.equal(planned.code, 0, planned.error)
    assert.match(planned.out, /^\+ permit HDAB-2026-0117\n1 to do; nothing was changed\n$/)
    assert.match((await typed('apply', directory)).out, /^\+ permit HDAB-2026-0117 \(basis_\w+\)\n1 done\n$/)
    assert.match((await typed('apply', directory)).out, /^= permit .*\nEverything is as the files say\n$/)

    await writeFile(join(directory, 'permit.yaml'), permit.replace('2028-03-01', '2029-03-01'))
    const changed = await typed('apply', directory)
    assert.match(
      changed.out,
      /^~ permit HDAB-2026-0117 \(basis_\w+\)\n {4}validUntil: "2028.*" → "2029.*"\n {4}ended: basis_/,
    )
  })
})
