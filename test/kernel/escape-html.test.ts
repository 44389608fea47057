import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeHtml } from '../../src/kernel/escape-html.ts'

test('escapeHtml() leaves nothing that opens an element, ends an attribute or names an entity', () => {
  const escaped = '&lt;img src=x onerror=&#39;a(&quot;&amp;amp;&quot;)&#39;&gt;'
  assert.equal(escapeHtml(`<img src=x onerror='a("&amp;")'>`), escaped)
})

test('escapeHtml() shows what would turn the rest of a page around, and leaves marks that a text needs', () => {
  assert.equal(escapeHtml('a\u202Eb\u2066c\u0000\u001B[2J'), 'a\\u202eb\\u2066c\\u0000\\u001b[2J')
  const kept = 'one\n\ttwo \u200Fשלום\u200E ü 👨‍👩‍👧'
  assert.equal(escapeHtml(kept), kept)
})
