// Models that are done, read when somebody predicts by them: those that were asked for last stay in memory.
import { loadModel, type Model } from "simdnn";

const most = 100;
const models = new Map<string, Promise<Model>>();

export async function loaded(file: string): Promise<Model> {
  const model = models.get(file) ?? loadModel(file);
  models.delete(file);
  models.set(file, model); // as the newest
  for (const [oldest] of models) {
    if (models.size <= most) break;
    models.delete(oldest);
  }
  model.catch(() => models.delete(file));
  return model;
}

/** Forgets the model of a file that is going to be removed. */
export function forget(file: string): void {
  models.delete(file);
}
