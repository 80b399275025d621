using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Makes sockets of this process in another network namespace; a socket stays where it was made.</summary>
internal static class NamespaceSockets
{
    private const int NewNet = 0x40000000; // CLONE_NEWNET, setns(2)
    private const int Attempts = 500;

    /// <summary>A socket that is bound to an address of that namespace; a TCP one listens.</summary>
    /// <param name="namespaceFile">Such as <c>/proc/PID/ns/net</c>.</param>
    /// <param name="address">Where to bind.</param>
    /// <param name="protocol">TCP or UDP.</param>
    public static Socket Bind(string namespaceFile, IPEndPoint address, ProtocolType protocol) => InNamespace(namespaceFile, () =>
    {
        for (var attempt = 1; ; attempt++)
        {
            var socket = new Socket(address.AddressFamily, protocol == ProtocolType.Udp ? SocketType.Dgram : SocketType.Stream, protocol);
            try
            {
                if (protocol == ProtocolType.Tcp) socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
                socket.Bind(address);
                if (protocol == ProtocolType.Tcp) socket.Listen(256);
                return socket;
            }
            catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < Attempts)
            {
                // A program that another test starts holds a copy of every socket until it has become itself, closed ones too.
                socket.Dispose();
                Thread.CurrentThread.Join(10);
            }
            catch (SocketException)
            {
                socket.Dispose();
                throw;
            }
        }
    });

    private static Socket InNamespace(string namespaceFile, Func<Socket> make)
    {
        Socket? made = null;
        Exception? fault = null;
        // A namespace belongs to a thread. This one ends with it, so that no other task finds itself there.
        var thread = new Thread(() =>
        {
            try
            {
                using var file = File.OpenHandle(namespaceFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
                if (SetNamespace((int)file.DangerousGetHandle(), NewNet) != 0)
                    throw new IOException($"setns to {namespaceFile}: {Marshal.GetLastPInvokeErrorMessage()}");
                made = make();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or SocketException)
            {
                fault = e;
            }
        });
        thread.Start();
        thread.Join();
        return made ?? throw new InvalidOperationException($"no socket in {namespaceFile}", fault);
    }

    [DllImport("libc", EntryPoint = "setns", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetNamespace(int file, int kind);
}
