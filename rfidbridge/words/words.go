// Package words says to who has tapped a card what has become of it and what to do, in
// English, French and Italian. It promises words for every end of a tap, also for one that
// a newer paywall knows and it does not.
package words

import (
	"slices"

	"golang.org/x/text/language"

	"github.com/caddy-paywall/caddy-paywall/rfidbridge/wire"
)

// Languages are all there are, the first for whoever understands none of them.
var Languages = []string{"en", "fr", "it"}

var matcher = language.NewMatcher([]language.Tag{language.English, language.French, language.Italian})

// Language is the best of them for an Accept-Language.
func Language(accept string) string {
	tags, _, err := language.ParseAcceptLanguage(accept)
	if err != nil {
		return Languages[0]
	}
	_, i, _ := matcher.Match(tags...)
	return Languages[i]
}

// Kind is how a tap has ended for who has tapped.
type Kind string

// The kinds.
const (
	Paid       Kind = "paid"
	Refused    Kind = "refused"      // with a reason
	Unclaimed  Kind = "unclaimed"    // nobody's card, with the claim
	NotOpened  Kind = "not_opened"   // the money goes back
	Unread     Kind = "unread"       // the card was taken away before it had proved itself
	Cancelled  Kind = "cancelled"    // whoever has tapped was asked for a PIN, and did not give one
	Offline    Kind = "offline"      // the paywall does not answer
	OutOfOrder Kind = "out_of_order" // the kiosk cannot write, or is no kiosk any more
)

// Words are a title that is read from a metre, and a sentence that says what to do.
type Words struct {
	Title, Text string
}

// Good reports whether who has tapped has what they wanted.
func Good(kind Kind, reason wire.Reason) bool { return kind == Paid || reason == wire.JustPaid }

// Of is what to say of a tap, in one of the Languages.
func Of(lang string, kind Kind, reason wire.Reason) Words {
	i := max(0, slices.Index(Languages, lang))
	if kind != Refused {
		return kinds[kind][i]
	}
	if w, known := reasons[reason]; known {
		return w[i]
	}
	return refused[i]
}

// Text is one of the screen's own texts.
func Text(lang, key string) string { return texts[key][max(0, slices.Index(Languages, lang))] }

type translated [3]Words // in the order of Languages

var refused = translated{
	{"Not paid", "The paywall refuses this card."},
	{"Non payé", "Cette carte est refusée."},
	{"Non pagato", "Questa carta non è accettata."},
}

var kinds = map[Kind]translated{
	Paid: {
		{"Paid", "Take it, or go in."}, {"Payé", "Servez-vous ou entrez."}, {"Pagato", "Prendi pure o entra."},
	},
	Unclaimed: {
		{"Nobody’s card yet", "Make it yours, and it pays from your wallet."},
		{"Carte sans titulaire", "Ajoutez-la à votre portefeuille pour payer avec elle."},
		{"Carta di nessuno", "Aggiungila al tuo portafoglio per pagare con questa carta."},
	},
	NotOpened: {
		{"It did not open", "You have not paid: the money is back in your wallet."},
		{"Rien ne s’est ouvert", "Vous n’avez pas payé : l’argent est de retour dans votre portefeuille."},
		{"Non si è aperto", "Non hai pagato: il denaro è tornato nel tuo portafoglio."},
	},
	Unread: {
		{"Too quick", "The card was gone before it was checked. Nothing was paid: tap it again."},
		{"Trop rapide", "La carte est partie avant la fin du contrôle. Rien n’a été payé : présentez-la de nouveau."},
		{"Troppo in fretta", "La carta è stata tolta prima della verifica. Non è stato pagato nulla: avvicinala di nuovo."},
	},
	Cancelled: {
		{"No PIN", "Nothing was paid. Tap again to enter the PIN."},
		{"Pas de code", "Rien n’a été payé. Présentez de nouveau la carte pour saisir le code."},
		{"Nessun PIN", "Non è stato pagato nulla. Avvicina di nuovo la carta per inserire il PIN."},
	},
	Offline: {
		{"No connection", "Nothing was paid. Try again in a moment."},
		{"Pas de connexion", "Rien n’a été payé. Réessayez dans un instant."},
		{"Nessuna connessione", "Non è stato pagato nulla. Riprova tra poco."},
	},
	OutOfOrder: {
		{"Out of order", "No card is taken here at the moment."},
		{"Hors service", "Aucune carte n’est acceptée ici pour le moment."},
		{"Fuori servizio", "Per ora qui non si accettano carte."},
	},
}

var reasons = map[wire.Reason]translated{
	wire.NoMoney: {
		{"Not enough money", "Top up this card’s wallet, then tap again."},
		{"Solde insuffisant", "Rechargez le portefeuille de cette carte, puis présentez-la de nouveau."},
		{"Saldo insufficiente", "Ricarica il portafoglio di questa carta, poi avvicinala di nuovo."},
	},
	wire.Blocked: {
		{"This card is blocked", "Whoever owns it can let it pay again."},
		{"Carte bloquée", "Son titulaire peut la débloquer."},
		{"Carta bloccata", "Chi ne è titolare può sbloccarla."},
	},
	wire.Replaced: {
		{"This card has been replaced", "Tap the card that has taken its place."},
		{"Carte remplacée", "Présentez celle qui la remplace."},
		{"Carta sostituita", "Avvicina quella che l’ha sostituita."},
	},
	wire.Frozen: {
		{"This wallet is frozen", "Ask the operator why."},
		{"Portefeuille gelé", "Adressez-vous à l’exploitant."},
		{"Portafoglio congelato", "Rivolgiti al gestore."},
	},
	wire.TapLimit: {
		{"Above the card’s limit", "Its owner lets it pay less at a time."},
		{"Au-dessus de la limite", "Son titulaire lui permet moins par passage."},
		{"Oltre il limite della carta", "Chi ne è titolare le permette meno per volta."},
	},
	wire.DayLimit: {
		{"Enough for today", "Its owner lets it pay less a day."},
		{"Limite du jour atteinte", "Son titulaire lui permet moins par jour."},
		{"Limite di oggi raggiunto", "Chi ne è titolare le permette meno al giorno."},
	},
	wire.TierLimit: {
		{"Too much for this kind of card", "A card that only shows its number pays small sums."},
		{"Trop pour ce type de carte", "Une carte qui ne montre que son numéro paie de petites sommes."},
		{"Troppo per questo tipo di carta", "Una carta che mostra solo il numero paga piccole somme."},
	},
	wire.Forged: {
		{"This card is not genuine", "It has not the key that it should have."},
		{"Carte non authentique", "Elle n’a pas la clé qu’elle devrait avoir."},
		{"Carta non autentica", "Non ha la chiave che dovrebbe avere."},
	},
	wire.Replayed: {
		{"Tap again", "This message of the card has been used."},
		{"Présentez de nouveau la carte", "Ce message de la carte a déjà servi."},
		{"Avvicina di nuovo la carta", "Questo messaggio della carta è già stato usato."},
	},
	wire.ProofNeeded: {
		{"Use another reader", "This card has to prove itself, and this reader does not ask."},
		{"Utilisez un autre lecteur", "Cette carte doit prouver son identité, ce que ce lecteur ne demande pas."},
		{"Usa un altro lettore", "Questa carta deve dimostrare la sua identità, e questo lettore non lo chiede."},
	},
	wire.PINNeeded: {
		{"Use another kiosk", "This card wants its PIN for more, and this kiosk cannot ask for it."},
		{"Utilisez une autre borne", "Pour payer plus, cette carte exige son code, que cette borne ne peut pas demander."},
		{"Usa un altro chiosco", "Per pagare di più questa carta vuole il suo PIN, e questo chiosco non può chiederlo."},
	},
	wire.PINBlocked: {
		{"Three wrong PINs", "This card is blocked. Whoever owns it can let it pay again."},
		{"Trois codes faux", "Cette carte est bloquée. Son titulaire peut la débloquer."},
		{"Tre PIN sbagliati", "Questa carta è bloccata. Chi ne è titolare può sbloccarla."},
	},
	wire.NoIdentity: {
		{"This card has no number of its own", "Phones and passports draw a new one each time; use a card."},
		{"Cette carte n’a pas de numéro fixe", "Téléphones et passeports en changent à chaque fois ; utilisez une carte."},
		{"Questa carta non ha un numero suo", "Telefoni e passaporti ne usano uno nuovo ogni volta: usa una carta."},
	},
	wire.NotTaken: {
		{"No bank cards here", "Use another card."},
		{"Pas de carte bancaire ici", "Utilisez une autre carte."},
		{"Qui niente carte bancarie", "Usa un’altra carta."},
	},
	wire.NoProduct: {
		{"Not for sale any more", "Choose something else."},
		{"Plus en vente", "Choisissez autre chose."},
		{"Non più in vendita", "Scegli qualcos’altro."},
	},
	wire.PriceChanged: {
		{"The price has changed", "Look at the new one, then tap again."},
		{"Le prix a changé", "Regardez le nouveau prix, puis présentez de nouveau la carte."},
		{"Il prezzo è cambiato", "Guarda il nuovo prezzo, poi avvicina di nuovo la carta."},
	},
	wire.JustPaid: {
		{"Already paid", "You have just paid for this. Wait a moment to buy one more."},
		{"Déjà payé", "Vous venez de payer. Attendez un instant pour en acheter un autre."},
		{"Già pagato", "Hai appena pagato. Aspetta un attimo per comprarne un altro."},
	},
}

var texts = map[string][3]string{
	"idle":      {"Tap your card", "Présentez votre carte", "Avvicina la carta"},
	"checking":  {"Checking", "Vérification", "Verifica in corso"},
	"hold":      {"Leave the card where it is.", "Laissez la carte en place.", "Lascia la carta dov’è."},
	"scan":      {"Scan this with your phone to make the card yours.", "Scannez ce code avec votre téléphone pour ajouter la carte.", "Scansiona il codice con il telefono per aggiungere la carta."},
	"alone":     {"There is no connection: it is taken from your wallet later.", "Pas de connexion : le montant sera débité plus tard.", "Nessuna connessione: sarà addebitato più tardi."},
	"left":      {"Left in the wallet:", "Il reste dans le portefeuille :", "Nel portafoglio restano:"},
	"opening":   {"Paid: it opens", "Payé : ouverture", "Pagato: si apre"},
	"open":      {"Open the page", "Ouvrir la page", "Apri la pagina"},
	"pin":       {"Enter the card’s PIN", "Saisissez le code de la carte", "Inserisci il PIN della carta"},
	"pin_why":   {"It is asked for above the sum that the card’s owner has set.", "Il est demandé au-dessus de la somme que son titulaire a fixée.", "È richiesto oltre la somma fissata da chi ne è titolare."},
	"pin_wrong": {"Wrong PIN", "Code faux", "PIN sbagliato"},
	"pin_again": {"Try again. Three wrong ones in a row block the card.", "Réessayez. Trois codes faux de suite bloquent la carte.", "Riprova. Tre PIN sbagliati di seguito bloccano la carta."},
	"digits":    {"PIN", "Code", "PIN"},
	"enter":     {"Pay", "Payer", "Paga"},
	"cancel":    {"Cancel", "Annuler", "Annulla"},
	"delete":    {"Delete the last digit", "Effacer le dernier chiffre", "Cancella l’ultima cifra"},
	"language":  {"Language", "Langue", "Lingua"},
	"title":     {"Kiosk", "Borne", "Chiosco"},
	"unread":    {"Hold the card still", "Ne bougez pas la carte", "Tieni ferma la carta"},
	"again":     {"It could not be read. Tap it again.", "Elle n’a pas pu être lue. Présentez-la de nouveau.", "Non è stata letta. Avvicinala di nuovo."},
}
