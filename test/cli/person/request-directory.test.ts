import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseYaml } from '../../../src/kernel/yaml.ts'
import { testTrade } from '../../../src/testing/test-trade.ts'
import { ROOT } from '../../docs/pages.ts'
import { typedHere } from '../typed-here.ts'

/** The settings that the guide shows. */
async function shownSettings(): Promise<object> {
  const text = await readFile(join(ROOT, 'docs', 'how-to', 'take-requests-of-agents.md'), 'utf8')
  const read = parseYaml(/```yaml\n(dataRights:[\s\S]*?)```/.exec(text)?.[1] ?? '')
  assert.ok(read.ok && typeof read.value === 'object' && read.value !== null)
  return read.value
}

test('request directory shows what the guide’s settings let in, and says when that is nobody', async (context) => {
  const home = await mkdtemp(join(tmpdir(), 'hedgerow-directory-'))
  context.after(() => rm(home, { recursive: true, force: true }))
  await using trade = await testTrade({
    sites: [
      { name: 'galway', root: join(home, 'sites', 'galway'), settings: await shownSettings() },
      { name: 'dresden', root: join(home, 'sites', 'dresden'), territory: 'DE' },
    ],
  })
  const typed = (site: string, ...more: readonly string[]) =>
    typedHere(home, ['request', 'directory', '--site', site, '--url', trade.site(site).url, ...more])
  const shown = await typed('galway')
  assert.equal(shown.code, 0, shown.error)
  assert.match(shown.out, /FEDERATION .*email/)
  assert.match(shown.out, /PERMISSION_SLIP +Permission Slip/)
  const { businesses } = JSON.parse((await typed('galway', '--json')).out) as {
    businesses: readonly { api_base: string }[]
  }
  assert.equal(businesses[0]?.api_base, trade.site().url)
  assert.match((await typed('dresden')).out, /no agent may ask here/)
})
