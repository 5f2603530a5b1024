"""The workbench: `gallae app`, pages in the browser for people who do not program."""
