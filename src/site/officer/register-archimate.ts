import { memberName } from '../../protocol/words/plain-words.ts'
import type { ControllerActivity, Register } from '../../protocol/rights/register.ts'

/**
 * The register as a model in the ArchiMate Model Exchange File Format of The Open Group (3.1), which Archi and other tools open:
 * who (business actors), what (processes and data), where (location, node, vault) and under which constraints.
 *
 * Order matters, because tools hold a file against the schema before they open it: elements, relationships, organizations, property
 * definitions, views; and in a view all nodes before all connections.
 */
export function registerArchimate(register: Register): string {
  const model = new Model()
  const place = model.element('Location', `place ${register.place.territory}`, register.place.territory, {
    evidence: register.place.evidence,
  })
  const node = model.element('Node', `site ${register.site}`, `Site ${register.site}`)
  const vault = model.element('SystemSoftware', 'vault', 'Vault')
  const custodian = model.element(
    'BusinessActor',
    `party ${register.processor.member}`,
    register.processor.name ?? register.processor.member,
    {
      role: 'processor',
    },
  )
  model.relation('Association', place, node)
  model.relation('Composition', node, vault)
  model.relation('Association', custodian, node)
  const lanes = register.controllers.map((activity) => addActivity(model, activity, { vault, custodian }))
  return model.write({
    name: `Processing at ${register.site}`,
    documentation: `GDPR Article 30, made on ${register.madeAt}`,
    columns: [[custodian, place, node, vault], ...lanes],
  })
}

function addActivity(
  model: Model,
  activity: ControllerActivity,
  { vault, custodian }: { vault: string; custodian: string },
): readonly string[] {
  const { dataSet, controller, perimeter, erasure } = activity
  const owner = model.element(
    'BusinessActor',
    `party ${controller.member}`,
    controller.name ?? controller.member,
    {
      role: 'controller',
    },
  )
  const data = model.element('DataObject', `data ${dataSet}`, activity.title, {
    legalBasis: activity.legalBasis,
    specialCategoryBasis: activity.specialCategoryBasis,
    bases: activity.bases.map(({ kind, reference }) => `${kind}: ${reference}`).join('; '),
    people: String(activity.subjects.people),
    categories: activity.categories.map(({ column }) => column).join(', '),
    specialCategories: activity.categories
      .filter(({ sensitivity }) => sensitivity === 'special_category')
      .map(({ column }) => column)
      .join(', '),
    erasedAt: erasure.until,
  })
  const constraint = model.element('Constraint', `perimeter ${dataSet}`, `Perimeter of ${activity.title}`, {
    store: perimeter.store.within.join(', '),
    process: perimeter.process.within.join(', '),
    release: perimeter.release.within.join(', '),
  })
  model.relation('Access', vault, data)
  model.relation('Association', constraint, data)
  model.relation('Association', owner, data)
  const contracts = activity.contract === undefined ? [] : [activity.contract]
  const papers = contracts.map(({ contract, kind, reference, concludedOn }) => {
    const paper = model.element('Contract', `contract ${contract}`, reference, { kind, concludedOn })
    for (const party of [owner, custodian, data]) model.relation('Association', paper, party)
    return paper
  })
  const purposes = activity.purposes.map(({ purpose, label, assessments }) => {
    const process = model.element('BusinessProcess', `use ${dataSet} ${purpose}`, label, {
      purpose,
      assessments: assessments.join(', '),
    })
    model.relation('Access', process, data)
    return process
  })
  const recipients = activity.recipients.map(({ acquirer, name, countries }) => {
    const recipient = model.element('BusinessActor', `party ${acquirer}`, memberName(acquirer, name), {
      role: 'recipient',
      countries: countries.join(', '),
    })
    model.relation('Association', recipient, data)
    return recipient
  })
  return [owner, data, ...papers, constraint, ...purposes, ...recipients]
}

type ElementType =
  | 'Location'
  | 'Node'
  | 'SystemSoftware'
  | 'BusinessActor'
  | 'BusinessProcess'
  | 'Contract'
  | 'DataObject'
  | 'Constraint'
type RelationType = 'Association' | 'Composition' | 'Access'

interface Drawing {
  readonly name: string
  readonly documentation: string
  /** Elements as they stand beside and below each other; one that stands twice is drawn once. */
  readonly columns: readonly (readonly string[])[]
}

const NODE = { width: 200, height: 55, gapX: 80, gapY: 25 }

/** A model as it grows: ids are numbered, so that they are names in XML whatever they stand for. */
class Model {
  readonly #elements = new Map<
    string,
    { id: string; type: ElementType; name: string; properties: Map<string, string> }
  >()
  readonly #relations: { id: string; type: RelationType; source: string; target: string }[] = []
  readonly #propertyNames: string[] = []

  /** Adds an element, or gives the one that stands for the same. */
  element(
    type: ElementType,
    what: string,
    name: string,
    properties: Readonly<Record<string, string | undefined>> = {},
  ): string {
    const known = this.#elements.get(what)
    if (known) return known.id
    const given = Object.entries(properties).flatMap(([key, value]) =>
      value === undefined || value === '' ? [] : [[key, value] as const],
    )
    for (const [key] of given) if (!this.#propertyNames.includes(key)) this.#propertyNames.push(key)
    const id = `id-e${this.#elements.size + 1}`
    this.#elements.set(what, { id, type, name, properties: new Map(given) })
    return id
  }

  relation(type: RelationType, source: string, target: string): void {
    const isKnown = this.#relations.some(
      (other) => other.type === type && other.source === source && other.target === target,
    )
    if (!isKnown) this.#relations.push({ id: `id-r${this.#relations.length + 1}`, type, source, target })
  }

  write({ name, documentation, columns }: Drawing): string {
    return `<?xml version="1.0" encoding="UTF-8"?>
<model xmlns="http://www.opengroup.org/xsd/archimate/3.0/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.opengroup.org/xsd/archimate/3.0/ http://www.opengroup.org/xsd/archimate/3.1/archimate3_Diagram.xsd" identifier="id-model">
  <name xml:lang="en">${xml(name)}</name>
  <documentation xml:lang="en">${xml(documentation)}</documentation>
  <elements>
${[...this.#elements.values()].map((element) => this.#writeElement(element)).join('\n')}
  </elements>
  <relationships>
${this.#relations.map(writeRelation).join('\n')}
  </relationships>
  <organizations>
${this.#writeFolders()}
  </organizations>
  <propertyDefinitions>
${this.#propertyNames.map((key, index) => `    <propertyDefinition identifier="id-p${index + 1}" type="string"><name>${xml(key)}</name></propertyDefinition>`).join('\n')}
  </propertyDefinitions>
  <views>
    <diagrams>
      <view identifier="id-v1" xsi:type="Diagram">
        <name xml:lang="en">${xml(name)}</name>
${this.#writeView(columns)}
      </view>
    </diagrams>
  </views>
</model>
`
  }

  #writeElement({
    id,
    type,
    name,
    properties,
  }: {
    id: string
    type: ElementType
    name: string
    properties: Map<string, string>
  }): string {
    const written = [...properties].map(
      ([key, value]) =>
        `<property propertyDefinitionRef="id-p${this.#propertyNames.indexOf(key) + 1}"><value xml:lang="en">${xml(value)}</value></property>`,
    )
    const all = written.length === 0 ? '' : `<properties>${written.join('')}</properties>`
    return `    <element identifier="${id}" xsi:type="${type}"><name xml:lang="en">${xml(name)}</name>${all}</element>`
  }

  #writeFolders(): string {
    const byFolder = Map.groupBy(this.#elements.values(), ({ type }) => FOLDERS[type])
    return [...byFolder]
      .map(
        ([folder, elements]) =>
          `    <item><label xml:lang="en">${folder}</label>${elements.map(({ id }) => `<item identifierRef="${id}"/>`).join('')}</item>`,
      )
      .join('\n')
  }

  #writeView(columns: Drawing['columns']): string {
    const drawn = new Map<string, string>()
    const nodes = columns.flatMap((column, x) =>
      column
        .filter((id) => !drawn.has(id))
        .map((id, y) => {
          const node = `id-n${drawn.size + 1}`
          drawn.set(id, node)
          const left = 20 + x * (NODE.width + NODE.gapX)
          const top = 20 + y * (NODE.height + NODE.gapY)
          return `        <node identifier="${node}" xsi:type="Element" elementRef="${id}" x="${left}" y="${top}" w="${NODE.width}" h="${NODE.height}"/>`
        }),
    )
    const connections = this.#relations.flatMap(({ id, source, target }, index) => {
      const [from, to] = [drawn.get(source), drawn.get(target)]
      if (from === undefined || to === undefined) return []
      return [
        `        <connection identifier="id-c${index + 1}" xsi:type="Relationship" relationshipRef="${id}" source="${from}" target="${to}"/>`,
      ]
    })
    return [...nodes, ...connections].join('\n')
  }
}

const FOLDERS: Readonly<Record<ElementType, string>> = {
  BusinessActor: 'Business',
  BusinessProcess: 'Business',
  Contract: 'Business',
  DataObject: 'Application',
  Node: 'Technology',
  SystemSoftware: 'Technology',
  Location: 'Other',
  Constraint: 'Motivation',
}

function writeRelation({
  id,
  type,
  source,
  target,
}: {
  id: string
  type: RelationType
  source: string
  target: string
}): string {
  const access = type === 'Access' ? ' accessType="Read"' : ''
  return `    <relationship identifier="${id}" source="${source}" target="${target}" xsi:type="${type}"${access}/>`
}

/** Text in XML 1.0: the characters it cannot hold are left out. */
function xml(text: string): string {
  return text
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
