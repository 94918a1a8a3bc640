// Numbers and tables as text: those of the pages, which measure kernels as benches do.
export * from "../../src/pages/kernels/table.mjs";
