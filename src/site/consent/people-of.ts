import type { DataSetId } from '../../protocol/wire.ts'
import type { ConsentContext } from './change-grants.ts'

/** Numbers of the people of requests, by one look-up per data set. */
export async function peopleOf(
  { findPeople }: Pick<ConsentContext, 'findPeople'>,
  requests: readonly { readonly dataSet: DataSetId; readonly person: string }[],
): Promise<readonly number[]> {
  const numbers = Array.from<number>({ length: requests.length }).fill(-1)
  const positions = Map.groupBy(requests.keys(), (index) => requests[index]?.dataSet)
  for (const [dataSet, indexes] of positions) {
    if (dataSet === undefined) continue
    const found = await findPeople(
      dataSet,
      indexes.map((index) => requests[index]?.person ?? ''),
    )
    for (const [position, index] of indexes.entries()) numbers[index] = found[position] ?? -1
  }
  return numbers
}
