using System.Collections.Concurrent;
using System.Globalization;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>The behaviours of scripted mail servers: one good one and many bad ones.</summary>
public static class Scripts
{
    /// <summary>A well-behaved server; which certificate it shows is asked at each handshake.</summary>
    public static Func<ScriptedConnection, Task> Good(Func<LabCertificate> certificate) => async connection =>
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n");
        await connection.HandshakeAsync(certificate());
        while (await connection.ReadLineAsync() is { } command)
        {
            switch (command.ToUpperInvariant())
            {
                case "QUIT":
                    await connection.SendAsync("221 bye\r\n");
                    return;
                case "DATA":
                    await connection.SendAsync("354 go on\r\n");
                    while (await connection.ReadLineAsync() is not (null or "."))
                    {
                        // The message is only counted as taken.
                    }

                    await connection.SendAsync("250 2.0.0 taken\r\n");
                    break;
                default:
                    await connection.SendAsync("250 scripted.test\r\n");
                    break;
            }
        }
    };

    /// <summary>A well-behaved server that takes its time to greet.</summary>
    public static Func<ScriptedConnection, Task> GreetingAfter(TimeSpan delay, Func<LabCertificate> certificate) => async connection =>
    {
        await Task.Delay(delay, connection.Stop);
        await Good(certificate)(connection);
    };

    /// <summary>Greets with a refusal (450, 554 ...) and waits for the client's QUIT.</summary>
    public static Func<ScriptedConnection, Task> Greeting(string reply) => async connection =>
    {
        await connection.SendAsync(reply + "\r\n");
        await connection.ReadLineAsync();
        await connection.SendAsync("221 bye\r\n");
    };

    /// <summary>Refuses EHLO for the moment.</summary>
    public static async Task Greylisting(ScriptedConnection connection)
    {
        await connection.SendAsync("220 scripted.test ESMTP\r\n");
        while (await connection.ReadLineAsync() is { } command)
        {
            var quit = command.StartsWith("QUIT", StringComparison.OrdinalIgnoreCase);
            await connection.SendAsync(quit ? "221 bye\r\n" : "450 4.7.1 greylisted, come back later\r\n");
            if (quit) return;
        }
    }

    /// <summary>A greeting that never ends, an octet at a time.</summary>
    public static async Task Tarpit(ScriptedConnection connection)
    {
        await connection.SendAsync("220-");
        while (true)
        {
            await connection.SendAsync("x");
            await Task.Delay(TimeSpan.FromMilliseconds(100), connection.Stop);
        }
    }

    /// <summary>Closes the connection when it has read EHLO.</summary>
    public static async Task CutAfterEhlo(ScriptedConnection connection)
    {
        await connection.SendAsync("220 scripted.test ESMTP\r\n");
        await connection.ReadLineAsync();
    }

    /// <summary>Offers STARTTLS and says 454 to it.</summary>
    public static async Task StartTlsUnavailable(ScriptedConnection connection)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("454 4.7.0 TLS not available due to local problem\r\n");
        await connection.HangAsync();
    }

    /// <summary>Says 220 to STARTTLS and then something that is not TLS.</summary>
    public static async Task GarbageForTls(ScriptedConnection connection)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n");
        await connection.ReadLineAsync();
        await connection.SendAsync("this is not a TLS record, and nothing that comes after it is one\r\n");
        await connection.HangAsync();
    }

    /// <summary>Writes SMTP in the clear behind the 220 to STARTTLS, as one who sits on the line would, then shakes hands.</summary>
    public static Func<ScriptedConnection, Task> Injecting(Func<LabCertificate> certificate) => async connection =>
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n250-scripted.test\r\n250 SIZE 1\r\n");
        await connection.HandshakeAsync(certificate());
        await connection.HangAsync();
    };

    /// <summary>A greeting in one line of a MiB.</summary>
    public static async Task HugeGreeting(ScriptedConnection connection)
    {
        await connection.SendAsync("220 " + new string('x', 1 << 20) + "\r\n");
        await connection.HangAsync();
    }

    /// <summary>Does not know STARTTLS.</summary>
    public static async Task WithoutStartTls(ScriptedConnection connection)
    {
        await connection.SendAsync("220 scripted.test ESMTP\r\n");
        while (await connection.ReadLineAsync() is { } command)
        {
            var quit = command.StartsWith("QUIT", StringComparison.OrdinalIgnoreCase);
            await connection.SendAsync(quit ? "221 bye\r\n" : "250 scripted.test\r\n");
            if (quit) return;
        }
    }

    /// <summary>A web server that has nothing; whether anybody asked is in the server's commands.</summary>
    public static async Task EmptyWebServer(ScriptedConnection connection)
    {
        await connection.ReadLineAsync();
        await connection.SendAsync("HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }

    /// <summary>A web server that takes what is posted to it.</summary>
    /// <param name="bodies">Where what it took goes.</param>
    /// <param name="fails">Asked for each request: true where it says that it cannot.</param>
    public static Func<ScriptedConnection, Task> WebHook(ConcurrentQueue<string> bodies, Func<bool> fails) => async connection =>
    {
        while (await connection.ReadLineAsync() is { Length: > 0 })
        {
            var length = 0;
            while (await connection.ReadLineAsync() is { Length: > 0 } header)
            {
                if (header.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))
                    length = int.Parse(header["Content-Length:".Length..], CultureInfo.InvariantCulture);
            }

            var body = await connection.ReadAsync(length);
            var failed = fails();
            if (!failed) bodies.Enqueue(body);
            await connection.SendAsync($"HTTP/1.1 {(failed ? "503 Not Now" : "204 No Content")}\r\nContent-Length: 0\r\n\r\n");
        }
    };
}
