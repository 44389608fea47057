import assert from 'node:assert/strict'
import { test } from 'node:test'
import { escapeHtml } from '../../src/kernel/escape-html.ts'

test('escapeHtml() leaves nothing that opens an element, ends an attribute or names an entity', () => {
  const escaped = '&lt;img src=x onerror=&#39;a(&quot;&amp;amp;&quot;)&#39;&gt;'
  assert.equal(escapeHtml(`<img src=x onerror='a("&amp;")'>`), escaped)
})
