// Light or dark: what the system says, until the button says otherwise; then that is remembered.

const KEY = 'edgevec-demo-theme';
const system = matchMedia('(prefers-color-scheme: dark)');

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage can be forbidden; the system's choice is as good
  }
}

function remember(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // see above
  }
}

/** Sets up the button; `onChange` is called whenever other colours hold. */
export function setUpTheme(button, onChange) {
  const root = document.documentElement;
  const isDark = () => (root.dataset.theme ? root.dataset.theme === 'dark' : system.matches);
  const update = () => {
    button.setAttribute('aria-pressed', String(isDark()));
    onChange();
  };
  const theme = remembered();
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  button.addEventListener('click', () => {
    root.dataset.theme = isDark() ? 'light' : 'dark';
    remember(root.dataset.theme);
    update();
  });
  system.addEventListener('change', update);
  update();
}

/** The colour that a CSS variable stands for at this moment, as the canvas understands it. */
export function colourReader() {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  return (variable) => {
    probe.style.color = `var(${variable})`;
    return getComputedStyle(probe).color;
  };
}
