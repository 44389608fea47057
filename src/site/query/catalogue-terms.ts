import { LIMITS } from '../../kernel/limits.ts'
import type { NodeKind } from './text/allowed-nodes.ts'
import { catalogueRow } from './catalogue/catalogue.ts'
import type { CallId } from './catalogue/catalogue.ts'
import type { ConstantKind } from './catalogue/catalogue-row.ts'
import { sumRoleOf } from './check-quantities.ts'
import type { SumRole } from './check-quantities.ts'

/** On which terms a thing may stand in a question; the reference page shows them. */
export interface Terms {
  /** In which modes, and where in an exact one. */
  readonly modes: string
  /** What bounds its values, or how often it may stand. */
  readonly bound: string
  /** By how much one person can change what is made of it. */
  readonly sensitivity: string
}

const IN_SUMS: Readonly<Record<SumRole, string>> = {
  unchanged: 'all; in an exact sum, of a quantity',
  added: 'all; in an exact sum, term by term',
  product: 'all; in an exact sum, of at most 3 factors',
  quotient: 'all; in an exact sum, by a single product',
  power: 'all; in an exact sum, with 1 or 2 that is written out',
  atom: 'all; in an exact sum, of columns as they are',
  decided: 'all; in an exact sum, taken apart by what it decides',
  none: 'all; in an exact sum in `FILTER`, `WHERE` or around it',
}

/** The terms of a function, operator, cast or piece of syntax, which follow from its row and from the rules about exact sums. */
export function termsOf(id: CallId): Terms {
  const { gives, range, copies, names } = catalogueRow(id)
  const modes = names.length === 0 ? 'put in by the gate' : IN_SUMS[sumRoleOf(id)]
  const chooses = 'whose rows count, which is a set that the guard judges'
  switch (gives) {
    case 'integer':
    case 'number':
      return range
        ? {
            modes,
            bound: 'from those of its arguments',
            sensitivity: 'the larger end of its bounds, for each row that counts',
          }
        : { modes, bound: 'none: it may not be summed in `private`', sensitivity: chooses }
    case 'text':
      return {
        modes,
        bound: copies
          ? 'its parts together, at most 64 stored texts'
          : 'as long as its longest argument, or as it says',
        sensitivity: chooses,
      }
    case 'boolean':
      return { modes, bound: 'true, false, null', sensitivity: chooses }
    case 'date':
    case 'timestamp':
      return { modes, bound: 'the years 1 to 9999', sensitivity: chooses }
    case 'json':
      return {
        modes,
        bound: `a document of at most ${LIMITS.jsonDocumentBytesMax} bytes and ${LIMITS.jsonDepthMax} levels`,
        sensitivity: chooses,
      }
    case 'boolean[]':
    case 'integer[]':
    case 'number[]':
    case 'text[]':
      return { modes, bound: `at most ${LIMITS.listItemsMax} values`, sensitivity: chooses }
    case 'item':
      return { modes, bound: 'none: it may not be summed', sensitivity: chooses }
    case 'any':
      return { modes, bound: 'those of its arguments', sensitivity: 'as its arguments' }
    case 'interval':
    case 'person':
      throw new Error(`Cannot tell the terms of "${id}": no call gives ${gives}`)
  }
}

/** A constant of each kind, to show a form with. */
export const SAMPLES: Readonly<Record<ConstantKind, string | number>> = {
  'date unit': 'month',
  'timestamp unit': 'hour',
  'date field': 'year',
  'timestamp field': 'hour',
  second: 'second',
  epoch: 'epoch',
  digits: 2,
  from: 1,
  'json index': 0,
  dimension: 1,
  length: 3,
  'length or but': 3,
  place: 1,
  'day pattern': 'DD/MM/YYYY',
  buckets: 8,
  repeats: 2,
  width: 8,
  'each match': 'g',
  'either case': 'i',
  'each in either case': 'gi',
  'date pattern': 'YYYY-MM',
  'number pattern': '990.0',
  bound: 1,
  edge: 10,
}

interface NodeTerms extends Terms {
  /** What becomes of it on both engines. */
  readonly form: string
}

const PART: NodeTerms = {
  modes: 'all',
  form: 'as what it is part of',
  bound: 'as what it is part of',
  sensitivity: 'none of its own',
}
const VALUE: NodeTerms = {
  modes: 'all',
  form: 'printed anew from its type; a text is bound as a parameter',
  bound: 'itself',
  sensitivity: 'none: it is the asker’s own',
}
const RELATION: NodeTerms = {
  modes: 'all',
  form: 'the permitted columns of eligible people, joined by the person’s number',
  bound: 'at most 9 data sets',
  sensitivity: 'rows of a person as the manifest bounds them',
}
const BY_ROW: NodeTerms = {
  modes: 'all',
  form: 'that of its row in the tables above',
  bound: 'that of its row',
  sensitivity: 'that of its row',
}

/** A table: on which terms each node of the grammar may stand. Each other node is declined. */
export const NODE_TERMS: Readonly<Record<NodeKind, NodeTerms>> = {
  SelectStmt: {
    modes: 'all; `GROUP BY`, `HAVING` and `DISTINCT` of a question not in `rows`',
    form: 'rows with the person, then groups; `HAVING`, `ORDER BY` and `LIMIT` over groups that may leave',
    bound: '64 columns, 10,000 groups, 64 levels',
    sensitivity: 'each row and each measure stands on a set of people that the guard judges',
  },
  WithClause: { ...PART, form: 'written out where it is named', bound: 'as the sub-selects in it' },
  CommonTableExpr: { ...PART, form: 'written out where it is named', bound: 'not recursive' },
  ResTarget: { ...PART, form: 'a column of the answer', bound: '64' },
  RangeVar: RELATION,
  RangeSubselect: { ...RELATION, form: 'written out, grouped by the person, or joined as it is' },
  JoinExpr: {
    ...RELATION,
    form: 'a join on equal numbers of people, with what else it is on',
    sensitivity: 'a product of the rows that either side has of the person',
  },
  Alias: PART,
  SortBy: {
    ...PART,
    modes: 'all; not by the person',
    form: 'over groups that may leave, or over the rows of one person; in `rows` over rows that may leave',
  },
  ColumnRef: {
    modes: 'all; sealed columns never, the person key only where it is tied, counted or, in `rows`, shown',
    form: 'a column of a source; outside of its domain null',
    bound: 'what the manifest declares',
    sensitivity: 'what the manifest declares; a use of the column in its clause',
  },
  A_Star: { ...PART, form: 'the columns that may be used', bound: '64' },
  String: VALUE,
  Integer: VALUE,
  Float: VALUE,
  Boolean: VALUE,
  A_Const: VALUE,
  ParamRef: VALUE,
  A_Expr: BY_ROW,
  List: PART,
  GroupingSet: {
    modes: '`aggregate`, `private`',
    form: 'each row once for each set',
    bound: '16 sets',
    sensitivity: 'in `private` a person counts in one group of each set unless the ask says otherwise',
  },
  GroupingFunc: {
    modes: '`aggregate`, `private`',
    form: 'a number that follows from the set',
    bound: '16 columns',
    sensitivity: 'none: it tells of the question',
  },
  RowExpr: { ...PART, form: 'member by member', bound: 'only with =, <>, IN and NOT IN' },
  A_Indirection: {
    ...PART,
    form: 'that of `(list)[n]`, and of `(string_to_array(a, b))[n]`',
    bound: 'only of columns that are lists and of `string_to_array`',
  },
  A_Indices: { ...PART, bound: 'a number that is written out' },
  A_ArrayExpr: { ...PART, form: 'a list', bound: 'only after ANY and ALL, and beside an operator of lists' },
  SubLink: {
    modes: 'all',
    form: 'a left join of one row for each person, computed for each row around it where it looks at it',
    bound: 'tied by the person, or of nobody',
    sensitivity: 'a value of the same person',
  },
  BoolExpr: BY_ROW,
  NullTest: BY_ROW,
  BooleanTest: BY_ROW,
  CaseExpr: {
    modes: 'all; in an exact sum taken apart, where it is not one around all of it',
    form: 'the same',
    bound: 'the bounds of all results together',
    sensitivity: 'as its results; what it leaves out is a set that the guard judges',
  },
  CaseWhen: PART,
  CoalesceExpr: BY_ROW,
  MinMaxExpr: BY_ROW,
  TypeCast: BY_ROW,
  TypeName: {
    ...PART,
    bound: 'the types of single values, `varchar(n)`, `numeric(p, s)`, and `interval` for a constant',
  },
  FuncCall: BY_ROW,
  WindowDef: {
    modes: 'all; in a sub-select',
    form: 'the same, with the place of a row where the order leaves rows equal',
    bound:
      'partitions of one person; frames of at most 1,000 rows or groups, or of a distance that is written out, to either side',
    sensitivity: 'a value of the same person; not summed, but for the neighbour',
  },
}
