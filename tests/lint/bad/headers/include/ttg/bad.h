/* A header with a guard and one function without a word. */
#ifndef TTG_BAD_H
#define TTG_BAD_H

/* Said: and its sibling in the same paragraph. */
int ttg_said(void);
int ttg_sibling(void);

int ttg_unsaid(void);

#endif
