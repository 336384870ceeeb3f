#!/usr/bin/python3
"""A window around WebKitGTK that its WebDriver can drive.

The browser that comes with WebKitGTK keeps silent under automation; this one prints what the page
logs, keeps site data in a folder, and says when the page's process dies. Environment:
WEBKIT_HOST_DATA, the folder; WEBKIT_HOST_SIZE, WIDTHxHEIGHT.
"""
import os

import gi

gi.require_version('Gtk', '3.0')
gi.require_version('WebKit2', '4.1')
from gi.repository import Gtk, WebKit2  # noqa: E402

folder = os.environ['WEBKIT_HOST_DATA']
width, height = map(int, os.environ.get('WEBKIT_HOST_SIZE', '1280x800').split('x'))

context = WebKit2.WebContext(website_data_manager=WebKit2.WebsiteDataManager(
    base_data_directory=os.path.join(folder, 'data'),
    base_cache_directory=os.path.join(folder, 'cache')))
context.set_automation_allowed(True)
settings = WebKit2.Settings(enable_write_console_messages_to_stdout=True)


def open_view(session):
    view = WebKit2.WebView(web_context=context, settings=settings, is_controlled_by_automation=True)
    view.connect('web-process-terminated',
                 lambda _, reason: print(f'HOST the page crashed: {reason.value_nick}', flush=True))
    window = Gtk.Window(default_width=width, default_height=height)
    window.add(view)
    window.show_all()
    view.grab_focus()
    return view


def on_automation(_, session):
    info = WebKit2.ApplicationInfo()
    info.set_name('edgevec-webkit-host')
    info.set_version(WebKit2.get_major_version(), WebKit2.get_minor_version(), WebKit2.get_micro_version())
    session.set_application_info(info)
    session.connect('create-web-view', open_view)


context.connect('automation-started', on_automation)
Gtk.main()
