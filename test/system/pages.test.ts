import assert from 'node:assert/strict'
import { test } from 'node:test'
import { certificatePage } from '../../src/cli/person/certificate-page.ts'
import { instant } from '../../src/kernel/clock.ts'
import { docsPage } from '../../src/kernel/http/docs-page.ts'
import { homePage } from '../../src/network/doors/home-page.ts'
import { PERSON_EXPORT_FORMAT } from '../../src/protocol/rights/person-export.ts'
import { memberIdSchema, siteIdSchema } from '../../src/protocol/wire.ts'
import { factTable, printedPage } from '../../src/site/officer/printed-page.ts'
import { pageWriter } from '../../src/site/rights/export-page.ts'

const certificate = certificatePage({
  erasure: 'erasure_01KB0000000000000000000000',
  site: siteIdSchema.parse('galway'),
  issuer: memberIdSchema.parse('world-sport'),
  reason: 'request',
  state: 'deleted',
  requestedBy: 'issuer:world-sport',
  requestedAt: instant(0),
  permanentBy: instant(86_400_000),
  grade: 'deleted',
  receipts: [7],
  stores: [{ store: 'vault', grade: 'deleted', note: 'rows deleted' }],
  kept: [{ what: 'receipts', why: 'the law wants them kept' }],
  recipients: [],
})

const PAGES: Readonly<Record<string, string>> = {
  certificate,
  docs: docsPage({ info: { title: 'Hedgerow', version: '1' } }),
  home: homePage({ name: 'network', now: instant(0), offers: [], activity: undefined }),
  officer: await printedPage({ title: 'Register', subtitle: '', body: [factTable([['Place', 'Ireland']])] }),
  export: pageWriter()('end'),
}

for (const [name, page] of Object.entries(PAGES)) {
  test(`the page "${name}" has one main part, a language and a title, and prints dark on white`, () => {
    assert.equal(page.match(/<main>/g)?.length, 1)
    assert.equal(page.match(/<\/main>/g)?.length, 1)
    assert.equal(page.match(/<h1>/g)?.length, 1)
    assert.match(page, /<html lang="en">[\s\S]*<meta name="viewport"[\s\S]*<title>[^<]+<\/title>/)
    assert.match(page, /@media print\s?\{/)
    for (const [rule] of page.matchAll(/@media[^{]*prefers-color-scheme[^{]*/g))
      assert.match(rule, /screen and/)
  })
}

test('a certificate says in words what each store is', () => {
  assert.match(certificate, /<td>The vault: the rows<\/td>/)
})

test('short columns of a certificate are not broken within a word', () => {
  assert.match(certificate, /th, td \{[^}]*overflow-wrap: break-word/)
  assert.doesNotMatch(certificate, /th, td \{[^}]*overflow-wrap: anywhere/)
})

test('an export calls members by their names, and modes whose words have commas are told apart', () => {
  const site = siteIdSchema.parse('galway')
  const time = '2026-03-02T09:00:00Z'
  const page = pageWriter()([
    {
      kind: 'export',
      format: PERSON_EXPORT_FORMAT,
      site,
      custodian: 'claddagh-edge',
      territory: 'IE',
      madeAt: time,
      madeFor: 'issuer:world-sport',
      names: { 'world-sport': 'World Sport' },
      receipt: 7,
    },
    {
      kind: 'grant',
      site,
      grant: 'grant_1',
      dataSet: 'athletes',
      grantee: { anyone: true },
      purposes: ['dpv:AcademicResearch'],
      modes: ['private', 'rows'],
      validFrom: time,
      givenAt: time,
      enteredBy: 'issuer:world-sport',
      receipt: 8,
    },
    { kind: 'access', site, time, by: 'issuer:world-sport', what: 'letter', receipt: 9 },
  ])
  assert.equal(page.match(/World Sport \(world-sport\)/g)?.length, 2)
  assert.match(page, /<td>numbers about groups, blurred; single rows, without your name<\/td>/)
})

test('an export says of uses, looks, requests and grants that there are none, once all is told, and only then', () => {
  const write = pageWriter()
  const site = siteIdSchema.parse('galway')
  const time = '2026-03-02T09:00:00Z'
  const told = write([{ kind: 'access', site, time, by: 'issuer:world-sport', what: 'letter', receipt: 9 }])
  assert.doesNotMatch(told, /Nobody|nothing/i)
  const end = write('end')
  assert.match(end, /<h2>Who used your data<\/h2>\n<p>Nobody has used your data at this site<\/p>/)
  assert.match(end, /<h2>What you asked for<\/h2>\n<p>You have asked for nothing<\/p>/)
  assert.match(end, /<h2>What you allowed<\/h2>\n<p>You have allowed nothing<\/p>/)
  assert.doesNotMatch(end, /Who looked at your data/)
  assert.match(pageWriter()('end'), /<p>Nobody has looked at your data by name<\/p>/)
})

test('a long row of the register goes on overleaf', () => {
  assert.match(PAGES['officer'] ?? '', /tr:not\(:has\(li\)\),li\{break-inside:avoid\}/)
})
