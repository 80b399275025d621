namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Servers whose SMTP is not as it should be, or only unusual.</summary>
internal static class Dialogues
{
    private const string Group = "dialogues";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        ServerKind With(string name, Func<MailServer, MailServer> change)
        {
            var kind = book.Plain(Group, name);
            return kind.Server(change(MailServer.With(forge.Good(kind.Domain, kind.Host))));
        }

        With("without-starttls", _ => MailServer.WithoutTls());
        With("starttls-454", server => server with { Starttls = "454 4.7.0 TLS not available" });
        With("starttls-454-closes", server => server with { Starttls = "454 4.7.0 TLS not available", Handshake = "close" });
        With("starttls-450", server => server with { Starttls = "450 4.7.1 later" });
        With("starttls-450-closes", server => server with { Starttls = "450 4.7.1 later", Handshake = "close" });
        With("starttls-334", server => server with { Starttls = "334 what" });
        With("starttls-501-closes", server => server with { Starttls = "501 5.5.4 no parameters", Handshake = "close" });
        With("starttls-501", server => server with { Starttls = "501 5.5.4 no parameters" });
        With("starttls-250", server => server with { Starttls = "250 2.0.0 fine" });
        With("starttls-421", server => server with { Starttls = "421 4.7.0 closing" });
        With("starttls-421-closes", server => server with { Starttls = "421 4.7.0 closing", Handshake = "close" });
        With("starttls-two-lines", server => server with { Starttls = "220-2.0.0 go\r\n220 2.0.0 ahead" });
        With("starttls-bare-220", server => server with { Starttls = "220" });
        With("starttls-hangs", server => server with { Starttls = "" });
        With("starttls-closes", server => server with { Starttls = null });
        With("starttls-lower-case", server => server with { Ehlo = ["250-scripted.test", "250 starttls"] });
        With("starttls-only", server => server with { Ehlo = ["250-scripted.test", "250 STARTTLS"] });
        With("starttls-with-parameter", server => server with { Ehlo = ["250-scripted.test", "250 STARTTLS REQUIRED"] });
        With("injected", server => server with { Behind = "250-scripted.test\r\n250 SIZE 1\r\n" });
        With("injected-line", server => server with { Behind = "220 twice\r\n" });
        With("garbage", server => server with { Handshake = "garbage" });
        With("alert", server => server with { Handshake = "alert" });
        With("closes-for-tls", server => server with { Handshake = "close" });
        With("hangs-for-tls", server => server with { Handshake = "hang" });
        With("ehlo-refused", server => server with { Ehlo = ["502 5.5.1 what is EHLO"] });
        With("ehlo-and-helo-refused", server => server with { Ehlo = ["550 5.7.1 no"], Helo = ["550 5.7.1 no"] });
        With("ehlo-450", server => server with { Ehlo = ["450 4.7.1 later"], Helo = ["450 4.7.1 later"] });
        With("ehlo-421", server => server with { Ehlo = ["421 4.3.2 later"] });
        With("ehlo-450-closes", server => server with { Ehlo = ["450 4.7.1 later", "~close"] });
        With("ehlo-454", server => server with { Ehlo = ["454 4.7.0 TLS not available"], Helo = ["454 4.7.0 TLS not available"] });
        With("ehlo-421-closes", server => server with { Ehlo = ["421 4.3.2 later", "~close"] });
        With("ehlo-550-closes", server => server with { Ehlo = ["550 5.7.1 no", "~close"] });
        With("ehlo-502-helo-450", server => server with { Ehlo = ["502 5.5.1 what is EHLO"], Helo = ["450 4.7.1 later"] });
        With("ehlo-tls-450-closes", server => server with { EhloTls = ["450 4.7.1 later", "~close"] });
        With("ehlo-tls-421", server => server with { EhloTls = ["421 4.3.2 later"] });
        With("ehlo-450-helo-taken", server => server with { Ehlo = ["450 4.7.1 later"] });
        With("ehlo-many-lines", server => server with { Ehlo = ["250-scripted.test", .. Enumerable.Range(1, 80).Select(n => $"250-X-FEATURE-{n} {new string('y', 40)}"), "250 STARTTLS"] });
        With("ehlo-one-line", server => server with { Ehlo = ["250 scripted.test"] });
        With("ehlo-tls-refused", server => server with { EhloTls = ["550 5.7.1 no"] });
        With("ehlo-tls-450", server => server with { EhloTls = ["450 4.7.1 later"] });
        With("greeting-two-lines", server => server with { Greeting = ["220-scripted.test says", "220 scripted.test ESMTP"] });
        With("greeting-many-lines", server => server with { Greeting = [.. Enumerable.Range(1, 40).Select(n => $"220-line {n}"), "220 scripted.test ESMTP"] });
        With("greeting-postscreen", server => server with { Greeting = ["220-scripted.test ESMTP", "~6", "220 scripted.test ESMTP"] });
        With("greeting-late", server => server with { Greeting = ["~3", "220 scripted.test ESMTP"] });
        With("greeting-bare", server => server with { Greeting = ["220"] });
        With("greeting-plain-smtp", server => server with { Greeting = ["220 scripted.test SMTP"] });
        With("greeting-554", server => server with { Greeting = ["554 5.7.1 no service"] });
        With("greeting-421", server => server with { Greeting = ["421 4.3.2 too busy"] });
        With("greeting-450", server => server with { Greeting = ["450 4.3.2 too busy"] });
        With("greeting-nonsense", server => server with { Greeting = ["hello there", "220 scripted.test ESMTP"] });
        With("greeting-none", server => server with { Greeting = [] });
        With("closes-at-once", server => server with { Greeting = null });
        With("line-feeds-only", server => server with { Newline = "\n" });
        var refuses = book.Plain(Group, "connection-refused");
        refuses.Mx(refuses.Host).NobodyAt(refuses.Host);
        var dead = book.Plain(Group, "no-route");
        dead.Mx(dead.Host).NobodyAt(dead.Host, isDead: true);
    }
}
