"use strict";
// Before anything is drawn, so that the page never flashes.
try {
  const theme = localStorage.getItem("nomaly-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch { /* storage may be switched off */ }
