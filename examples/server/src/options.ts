// What a client may ask for, checked by Fastify before any code of ours sees it.
import { Type, type Static } from "typebox";

/** How to train; every one has a default. */
export const TrainingOptions = Type.Object(
  {
    task: Type.Union([Type.Literal("classification"), Type.Literal("regression")], { default: "classification" }),
    /** Units of the hidden layers, such as `64,32`. */
    hidden: Type.String({ pattern: "^[1-9]\\d{0,3}(,[1-9]\\d{0,3}){0,7}$", default: "32" }),
    epochs: Type.Integer({ minimum: 1, maximum: 100_000, default: 20 }),
    batchSize: Type.Integer({ minimum: 1, maximum: 65_536, default: 32 }),
    learningRate: Type.Number({ exclusiveMinimum: 0, maximum: 1, default: 0.001 }),
    seed: Type.Integer({ minimum: 0, maximum: 2 ** 32, default: 1 }),
  },
  { additionalProperties: false },
);
export type TrainingOptions = Static<typeof TrainingOptions>;

/** The query of an upload. */
export const UploadQuery = Type.Object(
  {
    ...TrainingOptions.properties,
    /** The column of a CSV file that is to be predicted; the others are the inputs. */
    target: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);

/** Numbers of an example. */
export const mostColumns = 10_000;

const Row = Type.Array(Type.Number(), { minItems: 1, maxItems: mostColumns });
const Target = Type.Union([Type.Number(), Type.String()]);

/** The body of an upload in JSON: row i of the inputs belongs to target i, a class by number or name, or a value. */
export const Examples = Type.Object(
  { inputs: Type.Array(Row, { minItems: 1 }), targets: Type.Array(Target, { minItems: 1 }) },
  { additionalProperties: false },
);
export type Examples = Static<typeof Examples>;

export const PredictBody = Type.Object(
  { inputs: Type.Array(Row, { minItems: 1, maxItems: 10_000 }) },
  { additionalProperties: false },
);

export const IdParams = Type.Object({ id: Type.String({ pattern: "^[0-9a-f-]{36}$" }) });
