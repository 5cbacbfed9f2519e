// Which language: the one chosen before, else the browser's.

import { en } from "./en.js";
import { ko } from "./ko.js";

const languages = { en, ko };

export function languageOf(chosen, wanted) {
	if (chosen in languages) return chosen;
	for (const tag of wanted) {
		const language = String(tag).slice(0, 2).toLowerCase();
		if (language in languages) return language;
	}
	return "en";
}

export const otherLanguage = (language) => (language === "en" ? "ko" : "en");
export const textIn = (language) => languages[language];
