/** Three clients on one page. */
export function DemoPage() {
  return <main />;
}
