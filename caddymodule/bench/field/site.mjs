// The site that both middlewares stand in front of: Express with a page of 1 KB.
// What is below /p/ has the price, what is below /f/ has none. The arguments are
// the port, and the file for the header field by which a request pays.
import { writeFileSync } from "node:fs";
import express from "express";

const page = "x".repeat(1022); // 1 KB with its quotation marks

// serve puts the middleware in front of the site. pay makes the header field
// out of the answer to a request that has not paid.
export function serve(middleware, pay) {
	const [port, file] = process.argv.slice(2);
	const app = express();
	app.disable("x-powered-by");
	app.use("/p", middleware);
	// The page is JSON, because mppx gives its receipt with nothing else.
	app.get(["/p/:page", "/f/:page"], (request, response) => response.json(page));
	app.listen(Number(port), "127.0.0.1", async () => {
		const answer = await fetch(`http://127.0.0.1:${port}/p/1`);
		writeFileSync(file, pay(answer) + "\n");
	});
}
