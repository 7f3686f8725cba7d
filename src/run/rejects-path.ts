/** `report.json` → `report.rejects.jsonl`, in the same folder: where records stand that were not plainly restored. */
export function rejectsPathFor(reportPath: string): string {
  return `${reportPath.replace(/\.(json|html)$/i, "")}.rejects.jsonl`;
}
