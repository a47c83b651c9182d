// How requests are checked: what is in JSON must be of its type already, a query's text is converted and its gaps are filled with defaults.
import type { FastifySchemaCompiler } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";
import { Value } from "typebox/value";

export const validate: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const compiled = Compile(schema);
  return (value: unknown) => {
    const given = httpPart === "body" ? value : Value.Convert(schema, Value.Default(schema, { ...(value as object) }));
    if (compiled.Check(given)) return { value: given };
    const first = compiled.Errors(given)[0];
    return { error: new Error(`${httpPart ?? "request"}${first?.instancePath ?? ""} ${first?.message ?? "is wrong"}`) };
  };
};
