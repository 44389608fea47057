import { html } from 'hono/html'
import type { Notice } from '../../protocol/http/officer-api.ts'
import { purposeName } from '../../protocol/words/plain-words.ts'
import { NOTICE_WORDS } from './notice-words.ts'
import { bullets, printedPage } from './printed-page.ts'

/** A notice as a page to read and to print. */
export function noticePage({ title, language, purpose, version, sections }: Notice): Promise<string> {
  return printedPage({
    title,
    subtitle: purposeName(purpose, language),
    language,
    body: [
      ...sections.map(
        ({ article, heading, text }) =>
          html`<h2>${heading} <small>Art. ${article}</small></h2>
            ${text.length > 1 ? bullets(text) : html`<p>${text[0]}</p>`}`,
      ),
      html`<p class="foot">${NOTICE_WORDS[language].version} <code>${version}</code><br />${purpose}</p>`,
    ],
  })
}
