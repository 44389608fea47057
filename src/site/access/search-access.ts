import type { ActionSearch, ResourceSearch } from '../../protocol/http/access-api.ts'
import { evaluateAccess } from './evaluate-access.ts'
import type { AccessParts, Asker } from './evaluate-access.ts'
import { ACCESS_ACTIONS } from './read-question.ts'

/** Resources of a page unless fewer are wanted. */
const RESULTS_MAX = 100

/** The data sets that a use is allowed of, by name (AuthZEN 1.0 §8.5); `next_token` is empty on the last page. */
export async function searchDataSets(
  parts: AccessParts,
  { resource, page, ...asked }: ResourceSearch,
  asker: Asker,
): Promise<{ results: { type: string; id: string }[]; page: { next_token: string } }> {
  const results: { type: string; id: string }[] = []
  if (resource.type !== 'data_set') return { results, page: { next_token: '' } }
  const most = Math.min(page?.limit ?? RESULTS_MAX, RESULTS_MAX)
  const after = Buffer.from(page?.token ?? '', 'base64url').toString()
  for (const dataSet of [...parts.site.manifests().keys()].toSorted().filter((name) => name > after)) {
    if (results.length === most) return { results, page: { next_token: tokenOf(results.at(-1)?.id) } }
    const { outcome } = await evaluateAccess(
      parts,
      { ...asked, resource: { ...resource, id: dataSet } },
      asker,
    )
    if (outcome.ok) results.push({ type: resource.type, id: dataSet })
  }
  return { results, page: { next_token: '' } }
}

/** The actions that are allowed on one resource (AuthZEN 1.0 §8.6). On a person's record each is a look of its own. */
export async function searchActions(
  parts: AccessParts,
  asked: ActionSearch,
  asker: Asker,
): Promise<{ results: { name: string }[] }> {
  const results: { name: string }[] = []
  for (const name of ACCESS_ACTIONS) {
    const { outcome } = await evaluateAccess(parts, { ...asked, action: { name } }, asker)
    if (outcome.ok) results.push({ name })
  }
  return { results }
}

function tokenOf(last = ''): string {
  return Buffer.from(last).toString('base64url')
}
