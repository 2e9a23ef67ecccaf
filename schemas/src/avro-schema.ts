import avro from 'avsc'

/** An Avro schema of another time, as the registry keeps it; throws where it is not one. */
export const parseAvroSchema = (schema: unknown): avro.Type => avro.Type.forSchema(schema as avro.Schema)
