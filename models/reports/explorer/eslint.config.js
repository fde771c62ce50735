import js from '@eslint/js';
import globals from 'globals';

export default [
  { ignores: ['built/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['src/**/*.js'],
    languageOptions: { globals: globals.browser },
    rules: {
      'prefer-const': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', 250],
      'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true }],
    },
  },
  { files: ['*.js'], languageOptions: { globals: globals.node } },
];
