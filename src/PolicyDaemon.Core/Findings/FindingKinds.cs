using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Findings;

/// <summary>The table of the kinds of findings: all that the programs know of a kind is its row. Where it is seen is code of its own.</summary>
/// <remarks>The manual page policydaemon-findings(7) is made of the rows: the test of that page writes it with UPDATE_MANUAL=1 in the environment.</remarks>
public static class FindingKinds
{
    public static ImmutableArray<FindingDescription> All { get; } =
    [
        new(FindingKind.NearMiss, "near-miss", FindingSource.Lookup, FindingSeverity.LookAtIt,
            "Postfix asks for a key without an entry whose host is configured with other brackets or another port",
            "Add an entry for the key that Postfix asks for, or correct the one that is there")
        { IsJournalledBySource = true, Mail = "It is answered not found, so that smtp_tls_security_level decides, or deferred with near_miss = temp" },

        new(FindingKind.StoreUnavailable, "store-unavailable", FindingSource.Store, FindingSeverity.LookAtIt,
            "The store cannot be opened or read: it is missing, locked, its disk is full, or its rights are wrong; the last good snapshot answers",
            "Bring the store back; until then no change is served")
        { IsJournalledBySource = true, Mail = "It goes out as before, by the last good policies" },

        new(FindingKind.StoreDamaged, "store-damaged", FindingSource.Store, FindingSeverity.LookAtIt,
            "The store fails its integrity check; the last good snapshot answers",
            "Restore a backup")
        { IsJournalledBySource = true, Mail = "It goes out as before, by the last good policies" },

        new(FindingKind.StoreReplaced, "store-replaced", FindingSource.Store, FindingSeverity.LookAtIt,
            "The store's audit log lacks the last row that was loaded: it is another store, or a failover lost rows of it; it is not loaded",
            "Accept it with a reason where it was meant, or bring the right one back")
        { IsJournalledBySource = true, Mail = "It goes out as before, by the policies of the old store" },

        new(FindingKind.EntryNotServable, "entry-not-servable", FindingSource.Snapshot, FindingSeverity.MailWaits,
            "An entry cannot be served as it is, and every lookup of it is a temporary error",
            "Correct the entry; explain says what is wrong with it")
        { IsJournalledBySource = true, Mail = "It is deferred" },

        new(FindingKind.SnapshotNotSaved, "snapshot-not-saved", FindingSource.Snapshot, FindingSeverity.LookAtIt,
            "The last good snapshot could not be written to disk: after a restart without the store there would be no policy to serve",
            "Make room, or correct the file's directory and its rights")
        { IsJournalledBySource = true, Mail = "It goes out as before; after a restart without the store it would be deferred" },

        new(FindingKind.AuditBroken, "audit-broken", FindingSource.Snapshot, FindingSeverity.LookAtIt,
            "The chain of the audit log does not verify: a row was altered, inserted or cut out",
            "Compare the log with the hashes in the journal, and find out who wrote to the store")
        { IsJournalledBySource = true, EndsByItself = false, Mail = "It goes out by the policies as they are, whoever wrote them" },

        new(FindingKind.NewKey, "new-key", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A server presents a key that no pin knows",
            "Compare its fingerprint with the partner over another channel, then approve or reject it")
        { FollowsVerdict = true, FollowsSuspicion = true, Mail = "It waits where no address shows a pinned key any more, will wait where some do not, and otherwise goes out",
            Partner = "We see the key with this fingerprint at your mail server since this time; is it yours? The finding has both in full" },

        new(FindingKind.PinMismatch, "pin-mismatch", FindingSource.Probe, FindingSeverity.LookAtIt,
            "An address cannot be compared with the pins, for want of TLS or of a certificate that Postfix takes",
            "Ask the partner what changed there")
        { FollowsVerdict = true, Mail = "It waits where that is so at every address, otherwise it goes out through the others",
            Partner = "Your mail server offers no TLS, or shows no certificate, at this address; is that meant?" },

        new(FindingKind.RejectedKeySeen, "rejected-key-seen", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A key that a person rejected is presented again: an alarm",
            "Speak with the partner; somebody else may answer in the partner's place")
        { FollowsVerdict = true, IsSuspicious = true, Mail = "It waits where no address shows a pinned key, otherwise it goes out through the others",
            Partner = "Somebody answers in your place, or your mail server has a key again that you called wrong" },

        new(FindingKind.StartTlsGone, "starttls-gone", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A server that offered STARTTLS does not any more",
            "Check the server from elsewhere: its configuration changed, or somebody on the way strips the offer")
        { FollowsVerdict = true, Mail = "It waits at every level from encrypt on, unless another address offers STARTTLS",
            Partner = "Your mail server offers STARTTLS no more, as seen from here; is that meant?" },

        new(FindingKind.PlaintextInjected, "plaintext-injected", FindingSource.Probe, FindingSeverity.LookAtIt,
            "Octets in the clear came behind the reply to STARTTLS: somebody writes into the connection, or the server is broken",
            "Check the server from elsewhere")
        { FollowsVerdict = true, Mail = "It goes out: Postfix throws these octets away",
            Partner = "Your mail server, or a device before it, writes into the connection before the TLS handshake" },

        new(FindingKind.TlsaMismatch, "tlsa-mismatch", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A DNSSEC-secure TLSA record exists and does not match what the server presents",
            "Tell the partner: the server changed before its zone did, or it is another server")
        { FollowsVerdict = true, IsSuspicious = true, Mail = "It waits at dane and dane-only; at fingerprint as the pins say",
            Partner = "Your TLSA records do not match your certificate: publish the new record before the new key, and remove the old one a TTL later" },

        new(FindingKind.DnssecLost, "dnssec-lost", FindingSource.Probe, FindingSeverity.LookAtIt,
            "The MX records were DNSSEC-secure and are not any more",
            "Ask the partner over another channel whether the zone is unsigned on purpose; if it is, policyctl domain set with --accept-unsigned and a --reason ends this")
        { FollowsVerdict = true, IsSuspicious = true, Mail = "It goes out as the pins say; nothing is concluded from DNSSEC",
            Partner = "Your zone was signed and is not any more; is that meant?" },

        new(FindingKind.MxSetReplaced, "mx-set-replaced", FindingSource.Probe, FindingSeverity.LookAtIt,
            "Every key is new and the MX hosts are others: the partner moved, or DNS leads to somebody else",
            "Ask the partner before any of the new keys is approved")
        { FollowsVerdict = true, IsSuspicious = true, Mail = "It waits where no address shows a pinned key",
            Partner = "Did you move your mail to these servers? Their names and keys stand in the finding" },

        new(FindingKind.WeakerKey, "weaker-key", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A new key is weaker than the one that it would follow, or than 112 bits",
            "Ask the partner for a stronger key, or approve this one with a reason")
        { FollowsVerdict = true, FollowsSuspicion = true, IsGraverNewKey = true, Mail = "It waits where no address shows a pinned key",
            Partner = "Your new key is weaker than the one before; please use at least 2048 bits of RSA or P-256" },

        new(FindingKind.RotatingTooOften, "rotating-too-often", FindingSource.Probe, FindingSeverity.LookAtIt,
            "An MX host showed new keys too often to follow by itself",
            "Ask the partner what happens there, then approve the key that is meant")
        { FollowsVerdict = true, FollowsSuspicion = true, IsGraverNewKey = true, Mail = "It waits where no address shows a pinned key",
            Partner = "Your mail server showed several keys within a week; which one is meant to stay?" },

        new(FindingKind.PinHeld, "pin-held", FindingSource.Probe, FindingSeverity.ForInformation,
            "A pin was last seen at an address that DNS does not name any more, and does not retire by itself",
            "Revoke it when the server is known to be gone")
        { FollowsSuspicion = true, Mail = "It goes out",
            Partner = "Is the server at this address gone for good?" },

        new(FindingKind.TooManyKeys, "too-many-keys", FindingSource.Probe, FindingSeverity.LookAtIt,
            "As many new keys wait for a decision as are kept; the oldest that nobody presents any more makes way for the next",
            "Find out who presents them; approve the right one, reject the rest (pin reject --unseen: what nobody presents)")
        { FollowsVerdict = true, FollowsSuspicion = true, IsGraverNewKey = true, Mail = "It waits where no address shows a pinned key",
            Partner = "Your mail server shows another key to nearly every connection" },

        new(FindingKind.PinInOtherDigest, "pin-in-other-digest", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A pin known in another digest than Postfix compares names what is presented, and waits for a person",
            "Approve the fingerprint in the digest that Postfix compares")
        { FollowsVerdict = true, Mail = "It waits as long as no pin in the digest that Postfix compares is served" },

        new(FindingKind.DestinationUnreachable, "destination-unreachable", FindingSource.Probe, FindingSeverity.MailWaits,
            "No address of a destination could be reached",
            "Check the way there; mail waits as long as Postfix cannot reach it either")
        { Mail = "It waits where Postfix cannot reach the servers either",
            Partner = "None of your mail servers can be reached from here" },

        new(FindingKind.BrakeOn, "brake-on", FindingSource.Prober, FindingSeverity.LookAtIt,
            "Too many pinned destinations show new keys at once, so our own network, resolver or clock is the likelier culprit; no pin changes by itself",
            "Check from another network what the servers present")
        { Mail = "It goes out where the pinned keys are still shown; new ones wait for a person" },

        new(FindingKind.DnsTrouble, "dns-trouble", FindingSource.Probe | FindingSource.Prober, FindingSeverity.LookAtIt,
            "A lookup fails, or its answer is bogus; nothing is concluded from it",
            "Check the resolver, or the destination's zone")
        { Mail = "It waits where Postfix's own resolver fails, too; pins stay as they are" },

        new(FindingKind.ResolverNotValidating, "resolver-not-validating", FindingSource.Prober, FindingSeverity.LookAtIt,
            "A resolver marked trusted does not pass its self-test, and nothing counts as DNSSEC-secure",
            "Use a resolver that validates, or set resolver_trusted = no")
        { Mail = "It goes out as before; DANE proves nothing meanwhile" },

        new(FindingKind.NothingToProbe, "nothing-to-probe", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A leading-dot key's domain has no mail server to probe, and no host was named",
            "Name hosts below it with --probe-as")
        { Mail = "It goes out as the entry says; nobody watches the servers" },

        new(FindingKind.LevelNotMet, "level-not-met", FindingSource.Probe, FindingSeverity.LookAtIt,
            "At the level of the destination Postfix would refuse some address, or every one",
            "Check what the servers offer; correct them or the level")
        { FollowsVerdict = true, Mail = "It waits where every address would be refused, otherwise it goes out through the others",
            Partner = "Your mail server does not offer what we agreed: the finding names what is missing" },

        new(FindingKind.ResolverHalfTested, "resolver-half-tested", FindingSource.Prober, FindingSeverity.ForInformation,
            "A resolver marked trusted is only half tested, because no bogus name is configured",
            "Name a bogus domain in dnssec_test_bogus")
        { Mail = "It goes out as before" },

        new(FindingKind.AlertNotDelivered, "alert-not-delivered", FindingSource.Alert, FindingSeverity.LookAtIt,
            "Findings do not reach a person by the alert command or the webhook",
            "Correct the channel in the configuration, or what it names")
        { Mail = "It goes out as before; nobody is told of what happens to it" },

        new(FindingKind.ClockJumped, "clock-jumped", FindingSource.Prober, FindingSeverity.LookAtIt,
            "The machine's clock was set, far ahead or back",
            "Let it be kept by NTP; the finding ends when the clock has kept time for a while")
        { Mail = "It goes out as before, but for entries with --until, which go by the clock; pins wait for one that keeps time" },

        new(FindingKind.NetworkTrouble, "network-trouble", FindingSource.Prober, FindingSeverity.LookAtIt,
            "No connection reaches the servers of many destinations at once, so this machine's own network is the likelier culprit",
            "Check this machine's network, and what lets connections to port 25 out")
        { Mail = "It waits where Postfix cannot reach the servers either; pins stay as they are" },

        new(FindingKind.PolicyCoversNone, "policy-covers-none", FindingSource.Discovery, FindingSeverity.MailWaits,
            "The MTA-STS policy in force names none of a destination's MX hosts, as forged MX records would look, too; no mail may leave",
            "Ask the domain's postmaster by another way than mail which is right")
        { Mail = "It is deferred, by every sender who keeps to MTA-STS",
            Partner = "Your MTA-STS policy names none of your MX hosts; senders who keep to it deliver nothing to you" },

        new(FindingKind.PolicyNotRenewed, "policy-not-renewed", FindingSource.Discovery, FindingSeverity.LookAtIt,
            "The MTA-STS policy in force of a destination cannot be fetched again, or is no longer announced; its protection will end",
            "Look whether the domain's policy host can be reached from elsewhere; tell its postmaster")
        { Mail = "It goes out as the policy says until it expires",
            Partner = "Your MTA-STS policy cannot be fetched, or its record is gone; senders forget it when it expires" },

        new(FindingKind.PolicyLapsed, "policy-lapsed", FindingSource.Discovery, FindingSeverity.LookAtIt,
            "The MTA-STS policy of a destination has expired and could not be renewed; its mail is not protected by it any more",
            "Tell the domain's postmaster, or add an entry that protects its mail")
        { Mail = "It goes out as smtp_tls_security_level says, perhaps in plain text",
            Partner = "Your MTA-STS policy has expired at senders and cannot be fetched" },

        new(FindingKind.AnswerTooLong, "answer-too-long", FindingSource.Discovery, FindingSeverity.MailWaits,
            "The MTA-STS policy of a destination names so many hosts that no answer can hold those in use",
            "Add an entry for the destination")
        { Mail = "It is deferred",
            Partner = "Your MTA-STS policy names more hosts than senders can hold" },

        new(FindingKind.DiscoveryTrouble, "discovery-trouble", FindingSource.Discovery, FindingSeverity.LookAtIt,
            "So many of discovery's lookups or fetches fail that this machine's network, resolver, clock or trust anchors are the likelier culprit; no verdict is lowered by it",
            "Check them, with policyctl check, which tells what fails; policies that cannot be renewed since it began are no findings of their own")
        { Mail = "It goes out by what was known; new destinations as if nothing were published" },

        new(FindingKind.RevokedKeySeen, "revoked-key-seen", FindingSource.Probe, FindingSeverity.LookAtIt,
            "A key whose pin a person revoked is presented again: an alarm",
            "Speak with the partner; somebody else may answer in the partner's place, or the old key is in use again")
        { FollowsVerdict = true, IsSuspicious = true, Mail = "It waits where no address shows a pinned key, otherwise it goes out through the others",
            Partner = "Your mail server shows a key again that was given up; is that meant?" },

        new(FindingKind.EntryEnded, "entry-ended", FindingSource.Entry, FindingSeverity.ForInformation,
            "An entry, or what was temporary in one, has ended as a person said with --until; told for a week",
            "Nothing; or say it again, with another end")
        { Mail = "It goes out as it did before, or as if there had been no entry" },

        new(FindingKind.FloorNotMet, "floor-not-met", FindingSource.Discovery, FindingSeverity.MailWaits,
            "A destination publishes less than the floor of its entry asks for, or nothing is known of it; no mail may leave",
            "Ask its postmaster what became of its TLSA records or its MTA-STS policy, by another way than mail")
        { Mail = "It is deferred until enough is published, or the entry says less",
            Partner = "We hold you to what you publish by DANE or MTA-STS, and that is missing or less by now" },

        new(FindingKind.PinBesideDane, "pin-beside-dane", FindingSource.Probe, FindingSeverity.ForInformation,
            "An entry is pinned though its destination publishes TLSA records that match, and keeps them current",
            "Let DANE decide; or keep the pins and set mode locked, in which nothing is proposed")
        { IsAdvice = true, Mail = "It goes out, and would at level dane-only, too" },

        new(FindingKind.PinBesidePolicy, "pin-beside-policy", FindingSource.Probe, FindingSeverity.ForInformation,
            "An entry is pinned though its destination publishes an MTA-STS policy that its servers meet",
            "Let the policy's names decide; or keep the pins and set mode locked, in which nothing is proposed")
        { IsAdvice = true, Mail = "It goes out, and would at level secure with the names of the policy, too" },

        new(FindingKind.EntryBelowPublished, "entry-below-published", FindingSource.Probe, FindingSeverity.ForInformation,
            "An entry asks for less than its destination publishes by DANE or MTA-STS, and so keeps discovery from protecting its mail",
            "Raise the entry, or remove it where discovery is on; or keep it and set mode locked, in which nothing is proposed")
        { IsAdvice = true, Mail = "It goes out as the entry says, which may be in plain text or to whoever answers" },

        new(FindingKind.ExemptionOutlived, "exemption-outlived", FindingSource.Probe, FindingSeverity.ForInformation,
            "An entry has exempted its destination from discovery for 90 days, and what it publishes would deliver by now",
            "Remove the entry; or keep it and set mode locked, in which nothing is proposed. The next exemption ends by itself with --until")
        { IsAdvice = true, Mail = "It goes out as smtp_tls_security_level says, perhaps in plain text" },

        new(FindingKind.NodeStale, "node-stale", FindingSource.Fleet, FindingSeverity.LookAtIt,
            "A node that shares the store was not there for a minute: its policyd does not run, or does not reach the server of the store",
            "Start policyd there, or let it reach the server; where the machine is gone for good, forget it with policyctl node remove NAME")
        { Mail = "It goes out elsewhere; from that machine by its last good policies, or it waits where policyd does not run" },

        new(FindingKind.NodeClock, "node-clock", FindingSource.Fleet, FindingSeverity.LookAtIt,
            "The clock of a node differs by seconds from that of the server of the store",
            "Set it right there, and see that a time service keeps it so")
        { Mail = "It goes out; entries with --until end there at another time, and what a node with such a clock probes is judged by it" },

        new(FindingKind.NodeDigest, "node-digest", FindingSource.Fleet, FindingSeverity.LookAtIt,
            "A node answers with pins in another digest than the node that probes",
            "Set fingerprint_digest on each machine as smtp_tls_fingerprint_digest is there, and the same on all (policyctl setup)")
        { Mail = "It goes out where the pins of a destination are known in that digest, too, and waits at the others" },

        new(FindingKind.NodeVersion, "node-version", FindingSource.Fleet, FindingSeverity.ForInformation,
            "A node runs an older version of policyd than another one over the same store",
            "Upgrade it, or finish the upgrade that is under way")
        { Mail = "It goes out" },

        new(FindingKind.NodeTwice, "node-twice", FindingSource.Fleet, FindingSeverity.LookAtIt,
            "Two machines over the same store have the same name, and what is told of one is told of the other",
            "Give each a name of its own with node in [store], and restart policyd there")
        { Mail = "It goes out" },

        new(FindingKind.ConfigurationUnusable, "configuration-unusable", FindingSource.Status, FindingSeverity.LookAtIt,
            "The configuration cannot be read or used as it is now; a policyd that runs goes by what it read before, and would not start anew",
            "Correct the line that the finding names, have it checked with policyd --check, then systemctl reload policyd")
        { Mail = "It goes out as before while policyd runs; after a restart it would wait" },

        new(FindingKind.DeliveryDeferred, "delivery-deferred", FindingSource.Status, FindingSeverity.MailWaits,
            "Mail waits in the queue of this machine's Postfix for a destination that policyd answers for, and Postfix's reason is TLS or the policy; no other finding says so yet",
            "Probe the destination: what it meets then becomes a finding, or the mail can be sent now")
        { Mail = "It waits",
            Partner = "Our mail server defers its mail to you, because TLS with your mail server does not work as agreed" },

        new(FindingKind.NobodyProbes, "nobody-probes", FindingSource.Fleet, FindingSeverity.LookAtIt,
            "No machine over the store has held the lease of the prober for a minute: pins do not follow their servers",
            "Start policyd where it probed, or let another one take over: its user of the server needs the role policydaemon_prober")
        { Mail = "It goes out; where a partner renews a key, it waits until somebody probes or decides" },
    ];

    private static readonly StoredNames<FindingKind> Names = new([.. All.Select(row => (row.Kind, row.Name))]);

    public static FindingDescription Description(this FindingKind kind) => All.First(row => row.Kind == kind);

    public static string Name(this FindingKind kind) => Names.Of(kind);

    public static bool TryParse([NotNullWhen(true)] string? name, out FindingKind kind) => Names.TryParse(name, out kind);

    /// <summary>True where this part of the program opens and closes findings of the kind.</summary>
    public static bool IsOf(this FindingKind kind, FindingSource source) => (kind.Description().Source & source) != 0;

    /// <summary>True where a finding of this kind follows from an open one of the other about the same destination, and is part of it.</summary>
    public static bool IsPartOf(this FindingKind kind, FindingKind cause) => kind.Description().FollowsSuspicion && cause.Description().IsSuspicious;

    /// <summary>What was found anew of a destination and its open findings do not say already.</summary>
    /// <param name="found">Found without the memory that opened some of the others: of what is graver than a new key a single probe may see the new key only.</param>
    /// <param name="open">The open findings about the destination.</param>
    public static IEnumerable<Finding> Beside(this IEnumerable<Finding> found, IReadOnlyCollection<Finding> open) => found.Where(finding => !open.Any(known =>
        known.Kind == finding.Kind || finding.Kind.IsPartOf(known.Kind) || (known.Kind.Description().IsGraverNewKey && IsNewKey(finding.Kind))));

    private static bool IsNewKey(FindingKind kind) => kind == FindingKind.NewKey || kind.Description().IsGraverNewKey;

    /// <summary>The kinds that a part of the program opens and closes.</summary>
    public static ImmutableArray<FindingKind> Of(FindingSource source) => [.. All.Where(row => (row.Source & source) != 0).Select(row => row.Kind)];
}
