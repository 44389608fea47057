import assert from 'node:assert/strict'
import { test } from 'node:test'
import { declineInNames } from '../../../src/site/asks/decline-in-names.ts'
import { ask, gateManifests } from './gate-data.ts'

const manifests = new Map(gateManifests.map((manifest) => [String(manifest.dataSet), manifest]))

/** A test for each question: it is declined by this code, in words that tell the asker what it was. */
export function declinesAll(table: readonly (readonly [sql: string, code: string, detail: RegExp])[]): void {
  for (const [sql, code, detail] of table) {
    test(`${code}: ${sql.length > 100 ? `${sql.slice(0, 60)}…` : sql}`, () => {
      const checked = ask(sql)
      assert.equal(checked.ok ? 'approved' : checked.error.code, code, JSON.stringify(checked))
      if (checked.ok) return
      assert.match(checked.error.detail ?? '', detail)
      // What travels hides what was quoted in the question, and so must not take our own words for it.
      if (!/['"$]/.test(sql)) {
        const travelling = declineInNames(checked.error, { text: sql, manifests })
        assert.equal(travelling.detail, checked.error.detail)
      }
    })
  }
}
