/* The frame of every page of the sandbox: head, style, header, foot. No scripts, no other files. */
#ifndef SANDBOX_HTML_H
#define SANDBOX_HTML_H

#include "base/buf.h"
#include "sandbox/card.h"

/* brand: the name in the header; both are escaped here. */
void html_begin(struct buf *page, const char *title, const char *brand);
void html_end(struct buf *page);

/* Text between two pieces of markup; only the text is escaped. */
void html_text(struct buf *page, const char *before, const char *text, const char *after);

/* A labelled input. attributes: markup of ours; problem: shown beside it, NULL: none. */
struct html_input {
    const char *name, *label, *placeholder, *attributes, *problem;
};
void html_input(struct buf *page, const struct html_input *input);

/* The inputs of a card, with what is wrong beside each. example: stands where the number goes. */
void html_card_inputs(struct buf *page, const char *example, const struct card_problems *problems);

#endif
