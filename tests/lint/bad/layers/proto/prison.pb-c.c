/* Generated, and committed by mistake. */
