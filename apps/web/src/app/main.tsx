import "@fontsource-variable/geist";
import "./tokens.css";
import "./base.css";
import "../ui/button.css";
import "../ui/popover.css";
import "../ui/skeleton.css";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { ProblemError } from "../lib/api/problem-error.ts";
import { App } from "./app.tsx";
import { ErrorBoundary } from "./error-boundary.tsx";
import { parseRoute } from "./route.ts";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // A 4xx answer won't change, so it isn't retried. Network errors and 5xx answers are.
      retry: (failures, error) => failures < 4 && !(error instanceof ProblemError && error.problem.status < 500),
      // A server on localhost answers even when the browser says that it is offline.
      networkMode: "always",
      refetchOnWindowFocus: false,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element with the id 'root'.");

const route = parseRoute(location);
if (route.kind === "client" && route.frame !== undefined) document.documentElement.dataset["frame"] = route.frame;

createRoot(root).render(
  <ErrorBoundary>
    <QueryClientProvider client={queryClient}>
      <App route={route} />
    </QueryClientProvider>
  </ErrorBoundary>,
);
