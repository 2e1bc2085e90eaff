/* Part of Sync governance. See LICENSE file for full copyright and licensing details. */
/* Started by the page /sync/docs, outside of the web client: no Odoo code is loaded. */

window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: document.querySelector("#docs").dataset.url,
    dom_id: "#docs",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "list",
    filter: true,
    // A pasted key is gone with the page.
    persistAuthorization: false,
    tryItOutEnabled: true,
    // Else the viewer asks its makers' server for a badge.
    validatorUrl: null,
    // A schema is collapsed: 40 of them are long.
    defaultModelsExpandDepth: 0,
  });
});
